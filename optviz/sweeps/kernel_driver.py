"""What walks the lanes of a block through all their steps, chunk by chunk; compiled by numba, once for all programs.

A program's own part is a function `step` that numba compiled from its printed text: it is called by
its address, and works on the rows of a chunk in `Q`. This module's text is what is compiled.
"""

from llvmlite import ir
from numba import cfunc, njit
from numba.core import cgutils, types
from numba.extending import intrinsic

FIRST, LATER, LOOK = 0, 1, 2  # which of the program's lines `step` does
DOUBLES, INTEGERS = types.CPointer(types.float64), types.CPointer(types.int64)
MARKS = types.CPointer(types.int32)


@intrinsic
def call_step(typingctx, address, which, lanes, Q, C, S, U, W, radius):
    """The program's own part: how many lanes are far out after it."""

    def generate(context, builder, signature, given):
        whole, pointer, double = ir.IntType(64), ir.IntType(8).as_pointer(), ir.DoubleType()
        kind = ir.FunctionType(ir.IntType(32), [pointer, pointer, whole, whole, *[pointer] * 5, whole, whole, double])
        found = cgutils.alloca_once_value(builder, ir.Constant(whole, 0))  # then what it raises, which it does not
        places = [builder.bitcast(found, pointer), ir.Constant(pointer, None)]
        pointers = [builder.bitcast(one, pointer) for one in given[3:8]]
        bases = [builder.ptrtoint(given[k], whole) for k in (3, 7)]
        called = builder.inttoptr(given[0], kind.as_pointer())
        builder.call(called, [*places, given[1], given[2], *pointers, *bases, given[8]])
        return builder.load(found)

    pointers = [DOUBLES, DOUBLES, DOUBLES, INTEGERS, INTEGERS]
    return types.int64(*[types.int64] * 3, *pointers, types.float64), generate


@intrinsic
def onwards(typingctx, pointer, count):
    """Where so many numbers further on are."""

    def generate(context, builder, signature, given):
        return builder.gep(given[0], [given[1]])

    return pointer(pointer, types.int64), generate


@njit(error_model="numpy", inline="always")  # a call could raise, as far as LLVM knows
def mark(Q, N, diverged, where, at, m, t):
    """Mark the lanes that are no longer finite at step t; False where none is left.

    A lost lane goes on as a copy of one that is alive: nothing it does matters any more.
    """
    alive, lost = -1, 0
    for i in range(m):
        if diverged[at + i] == 0:
            good = Q[N[4] + i] - Q[N[4] + i] == 0.0
            for k in range(N[2]):
                good &= Q[k * N[1] + i] - Q[k * N[1] + i] == 0.0
            alive, lost = (i, lost) if good else (alive, lost + 1)
            diverged[at + i] = 0 if good else -1
    for i in range(m if lost else 0):
        if diverged[at + i] < 0:
            diverged[at + i] = max(t, 1)
            for k in range(N[10] if alive >= 0 and t < N[3] else 0):
                Q[k * N[1] + i] = Q[k * N[1] + alive]
            for k in range(N[6] if alive >= 0 and t < N[3] else 0):
                where[k * N[0] + at + i] = where[k * N[0] + at + alive]
    return alive >= 0


@cfunc(types.int64(types.int64, INTEGERS, DOUBLES, DOUBLES, DOUBLES, DOUBLES, INTEGERS, DOUBLES, INTEGERS, INTEGERS,
                   INTEGERS, DOUBLES, types.float64, DOUBLES, DOUBLES, DOUBLES, DOUBLES, MARKS, DOUBLES),
       nopython=True, error_model="numpy")  # fmt: skip
def entry(step, N, X, K, C, S, still, G, where, U, W, bound, R, Q, P, loss, begun, diverged, reached):
    """Walk all lanes; the largest number of steps that a chunk took.

    N: the lanes, those of a chunk, the coordinates, the steps; in Q the places of the loss, of what is
    looked up and its rows, of the fixed rows and their number; of the rows that a lane is made of,
    and of all that a step changes; the numbers of a step, the kinds; whether arrivals are asked for,
    whether the loss at the start and where lanes end are. K: where lanes begin, and the fixed rows.
    """
    lanes, chunk, dim, steps, most = N[0], N[1], N[2], N[3], 0
    for turn in range((lanes + chunk - 1) // chunk):  # a step that may be 0 could raise
        at = turn * chunk
        m = min(chunk, lanes - at)
        for k in range(dim + N[8]):
            row = k * chunk if k < dim else N[7] + (k - dim) * chunk
            for i in range(m):
                Q[row + i] = K[k * lanes + at + i]
        for t in range(steps + 1):
            far, asked = 1, t and t % 32 == 0 and still[t - 1]
            for k in range(N[6] if t else 0):
                for i in range(m):
                    Q[N[5] + k * chunk + i] = G[(t - 1) * N[12] + where[k * lanes + at + i]]
            for k in range(dim + N[9] if asked else 0):
                row = k * chunk if k < dim else N[10] * chunk - (dim + N[9] - k) * chunk
                for i in range(m):
                    P[k * chunk + i] = Q[row + i]
            if t:
                far = call_step(step, LATER if t > 1 else FIRST, m, Q, C, onwards(S, (t - 1) * N[11]), U, W, R)
                most = max(most, t)
            for i in range(m if N[13] and t else 0):
                if diverged[at + i] == 0 and reached[at + i] != reached[at + i] and Q[N[4] + i] <= bound[at + i]:
                    reached[at + i] = t - 1
            if far:
                far = call_step(step, LOOK, m, Q, C, S, U, W, R)
                for i in range(m if N[14] and not t else 0):
                    begun[at + i] = Q[N[4] + i]
                if (far or t) and not mark(Q, N, diverged, where, at, m, t) and t:
                    break
            moved = 0
            for k in range(dim + N[9] if asked else 0):
                row = k * chunk if k < dim else N[10] * chunk - (dim + N[9] - k) * chunk
                for i in range(m):
                    moved += 0 if P[k * chunk + i] == Q[row + i] else 1
            if asked and not moved:
                break
        call_step(step, LOOK, m, Q, C, S, U, W, R)
        for i in range(m):
            loss[at + i] = Q[N[4] + i]
        for k in range(dim if N[15] else 0):
            for i in range(m):
                X[k * lanes + at + i] = Q[k * chunk + i]
        for i in range(m if N[13] else 0):
            if diverged[at + i] == 0 and reached[at + i] != reached[at + i] and Q[N[4] + i] <= bound[at + i]:
                reached[at + i] = steps
    return most
