# SPDX-License-Identifier: GPL-2.0-or-later
"""
deadfall - events of deadfall's traps as objects, and stacks through BPF, for drgn.

>>> import deadfall
>>> for event in deadfall.events("vmcore"):              # of the key that fired
...     print(event.time_ns, event.event, event.task.comm, event.fields)
>>> deadfall.events("vmcore", all_keys=True)             # of all live keys
>>> event.object(prog, "struct widget")                  # drgn's object at the event's key
>>> prog = deadfall.load("vmcore")                       # in a script: a drgn.Program that has types and symbols
>>> deadfall.stack_trace(prog, "vmcore")                 # of the task that went down: through BPF, trampoline, probe

The decoding is `deadfall report --format json`; this finds it in $DEADFALL, else in $PATH.
"""
import json
import os
import subprocess
import tempfile
from typing import Any, Dict, List, NamedTuple, Optional


class Task(NamedTuple):
    pid: int
    tid: int
    comm: str


class Event(NamedTuple):
    event: str
    time_ns: int
    cpu: int
    key: Any
    generation: int
    task: Task
    func: Optional[str]
    fields: Dict[str, Any]
    kstack: List[str]
    step: Optional[str]
    fired: bool

    def object(self, prog, type_name):
        """The object at the address that is the (first part of the) key."""
        key = self.key[0] if isinstance(self.key, list) else self.key
        import drgn

        return drgn.Object(prog, type_name, address=int(key, 0) if isinstance(key, str) else key)

    def task_struct(self, prog):
        """The task, if it still lived when the kernel died."""
        from drgn.helpers.linux.pid import find_task

        return find_task(prog, self.task.tid)


class Frame(NamedTuple):
    """A frame of a kernel stack. `frames` are drgn's own for it (inlined functions first): registers, source, locals."""

    symbol: str
    module: Optional[str]  # "bpf": a BPF program or trampoline, "ftrace": a trampoline
    pc: int
    sp: int
    guessed: bool  # found by scanning the stack: may be left over from an older call
    frames: List[Any]


class StackTrace(List[Frame]):
    """Innermost frame first. `end` says why it is not whole, or is None."""

    end: Optional[str] = None

    def __str__(self):
        lines = [f"#{i:<3}{f.symbol}" + (f" [{f.module}]" if f.module else "") +
                 (" (found by scanning: may be old)" if f.guessed else "") for i, f in enumerate(self)]
        return "\n".join(lines + ([f"({self.end})"] if self.end else []))

    def _repr_pretty_(self, p, cycle):
        p.text(str(self))


def _number(value):
    return int(value, 0) if isinstance(value, str) else value


def _deadfall(*args):
    command = [os.environ.get("DEADFALL", "deadfall"), *args]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"{command[0]} ended with status {done.returncode}")
    return done.stdout


def report(dump, all_keys=False):
    """The whole report (docs/report.md) as a dictionary."""
    return json.loads(_deadfall("report", "--format", "json", *(["--all"] if all_keys else []), dump))


def events(dump, all_keys=False):
    """Events of the key that fired, or of all live keys, oldest first."""
    for e in report(dump, all_keys)["context"]:
        yield Event(e["event"], _number(e["time_ns"]), e["cpu"], e["key"], _number(e["generation"]),
                    Task(e["task"]["pid"], e["task"]["tid"], e["task"]["comm"]), e["func"], e["fields"], e["kstack"],
                    e["step"], e["fired"])


def _frames_of_drgn(prog, places):
    """
    drgn's frames for each of ours. drgn stops at code that it has no unwind table for: there it is given the registers
    of the next frame that our unwinder found, and goes on.
    """
    import drgn

    found = []
    while len(found) < len(places):
        regs = {"ip": _number(places[len(found)]["ip"]), "sp": _number(places[len(found)]["sp"]),
                "bp": _number(places[len(found)]["bp"] or 0)}
        trace = list(prog.stack_trace(drgn.Object(prog, "struct pt_regs", value=regs)))
        while trace and len(found) < len(places):
            here = []
            while trace and trace[0].pc == _number(places[len(found)]["ip"]):
                here.append(trace.pop(0))
            if not here:
                break
            found.append(here)
    return found


def stack_trace(prog, dump, tid=None):
    """
    The kernel stack of the task that went down; or of the thread `tid`, if it ran on another CPU or was blocked. Unlike
    prog.stack_trace(), it leads through BPF programs, trampolines and probes to the real caller.
    """
    for s in report(dump)["stacks"]:
        if s["task"]["tid"] == tid or (tid is None and s["state"] == "crashed"):
            trace = StackTrace(
                Frame(symbol, module, _number(place["ip"]), _number(place["sp"]), i in s["guessed"], frames)
                for i, (symbol, module, place, frames) in enumerate(
                    zip(s["kstack"], s["modules"], s["places"], _frames_of_drgn(prog, s["places"]))))
            trace.end = s["end"]
            return trace
    raise LookupError("no CPU ran it, and it was not blocked" if tid else "the dump does not say which task went down")


def load(dump):
    """A drgn.Program of the dump with types and symbols, without the distribution's debug package."""
    import drgn

    prog = drgn.Program()
    prog.set_core_dump(dump)
    with tempfile.NamedTemporaryFile(prefix="vmlinux-") as namelist:
        _deadfall("vmlinux", dump, "-o", namelist.name)
        prog.load_debug_info([namelist.name])
    return prog
