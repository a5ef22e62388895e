"""Waiting for a file to be saved, whichever way an editor saves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

from watchfiles import Change, watch

STEP, LONGEST = 25, 200  # milliseconds without another change; all in all
LOOK = 1.0  # seconds, after which the file is looked at untold


def saves(path: Path, stop: Event) -> Iterator[None]:
    """Yields whenever the file may have changed, until `stop` is set.

    It is the folder that is watched: a file may be written again, replaced, or deleted and made anew, also behind a
    link. Once a second it yields in any case: a network drive tells of no changes, and a folder may be replaced too.
    """
    names = {path.name, path.resolve().name}
    folders = {path.absolute().parent, path.resolve().parent}

    def ours(_: Change, changed: str) -> bool:
        return Path(changed).name in names

    while not stop.is_set():
        try:
            for _ in watch(
                *folders,
                watch_filter=ours,
                debounce=LONGEST,
                step=STEP,
                stop_event=stop,
                rust_timeout=int(1000 * LOOK),
                yield_on_timeout=True,
                raise_interrupt=False,
                recursive=False,
            ):
                yield
        except (OSError, RuntimeError):  # the folder is gone, or the system watches no more
            yield
            stop.wait(LOOK)
