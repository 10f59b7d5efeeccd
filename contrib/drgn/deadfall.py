# SPDX-License-Identifier: GPL-2.0-or-later
"""
deadfall - events of deadfall's traps as objects, for drgn.

>>> import deadfall
>>> for event in deadfall.events("vmcore"):              # of the key that fired
...     print(event.time_ns, event.event, event.task.comm, event.fields)
>>> deadfall.events("vmcore", all_keys=True)             # of all live keys
>>> event.object(prog, "struct widget")                  # drgn's object at the event's key
>>> deadfall.load("vmcore")                              # in a script: a drgn.Program that has types and symbols

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


def load(dump):
    """A drgn.Program of the dump with types and symbols, without the distribution's debug package."""
    import drgn

    prog = drgn.Program()
    prog.set_core_dump(dump)
    with tempfile.NamedTemporaryFile(prefix="vmlinux-") as namelist:
        _deadfall("vmlinux", dump, "-o", namelist.name)
        prog.load_debug_info([namelist.name])
    return prog
