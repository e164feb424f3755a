"""Texts of kernels made machine code by numba and LLVM: a script of its own, as another process runs it.

It reads a list of texts, as JSON, and writes of each the name of its function and the object code.
"""

import base64
import json
import os
import re
import sys

_MISSING = ("Py", "NRT_", "numba_")  # what code that may raise calls, and a program without numba has not


def target_machine():
    """This processor, as LLVM compiles for it."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    features = binding.get_host_cpu_features().flatten()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=features, opt=3, jit=True
    )


def built(source: str) -> tuple[str, bytes]:
    """The name of a text's `entry` in the object code, and that code; RuntimeError where it does not stand alone."""
    from llvmlite import binding

    scope = {"__name__": "kernel"}
    exec(compile(source, "optviz kernel", "exec"), scope)  # written from traced operations alone
    entry = scope["entry"]
    # the function itself: int32 name(int64 *result, void **trouble, ...); around it is what Python would be told
    text = re.sub(r"^define [^\n]*@cfunc\..*?^}$", "", entry.inspect_llvm(), flags=re.DOTALL | re.MULTILINE)
    outside = [name for name in re.findall(r"^declare [^\n]*@([\w.]+)\(", text, re.MULTILINE)
               if name.startswith(_MISSING) and len(re.findall(rf"@{re.escape(name)}\b", text)) > 1]  # fmt: skip
    if outside:
        raise RuntimeError(f"a kernel needs {', '.join(outside)}")
    module = binding.parse_assembly(text)
    name = module.get_function(entry.native_name.removeprefix("cfunc.")).name
    return name, target_machine().emit_object(module)


def main() -> None:
    """Build each text of a list; of one that cannot be built, the second entry is empty and the first says why."""
    os.environ["NUMBA_DISABLE_JIT"] = "0"
    json.dump([answer(source) for source in json.load(sys.stdin)], sys.stdout)


def answer(source: str) -> tuple[str, str]:
    """What `built` makes of a text, as JSON has it."""
    try:
        name, code = built(source)
    except Exception as trouble:
        return f"{type(trouble).__name__}: {trouble}", ""
    return name, base64.b64encode(code).decode()


if __name__ == "__main__":
    main()
