"""A spec that is followed while it is edited: what its pages show now, and what they are told after each save."""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from threading import Event, Thread

from archspec.choices import Choices
from archspec.document import parse_document
from archspec.errors import ArchspecError
from archspec.source import LARGEST, collector_paused
from archspec.spec import Spec, build
from visualize.live.watching import saves

Data = Mapping[str, object]
Text = bytes | str  # what is in the file, or why it cannot be read


@dataclass(frozen=True, eq=False)
class State:
    """The last good page with its number (from 1; 0: none yet), and what is wrong with the text as it is now.

    `page` and `error` are messages as they are sent; `told` is the error as it is drawn.
    """

    number: int = 0
    data: Data | None = None
    page: str = ""
    error: str = ""
    told: str = ""


class Live:
    """Follows the file of a spec in a thread of its own; `state` belongs to the event loop in which it was started."""

    def __init__(self, path: Path, choices: Choices, page_data: Callable[[Spec], Data]) -> None:
        self.path, self.choices, self.page_data = path, choices, page_data
        self.state: State | None = None
        self._news = asyncio.Event()
        self._stop = Event()

    def start(self) -> None:
        """Begin to follow the file; call it in the event loop that is to hear of it."""
        loop = asyncio.get_running_loop()

        def publish(state: State) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._publish, state)

        Thread(target=self._follow, args=(publish,), name="archspec serve", daemon=True).start()

    def stop(self) -> None:
        """Follow no longer; nobody is told of an analysis that still runs. Call it in the event loop."""
        self._stop.set()
        self._news.set()

    async def after(self, seen: State | None) -> State | None:
        """The newest state as soon as it is not the one seen (None: before the first); None once it is stopped."""
        while self.state is seen and not self._stop.is_set():
            await self._news.wait()
        return None if self._stop.is_set() else self.state

    def _publish(self, state: State) -> None:
        self.state = state
        self._news.set()
        self._news = asyncio.Event()

    def _follow(self, publish: Callable[[State], None]) -> None:
        """Analyses every new text. One that was replaced while it was analysed is told to nobody."""
        state, seen = State(), None
        for _ in chain((None,), saves(self.path, self._stop)):
            text = _read(self.path)
            while text != seen:
                seen, result = text, self._result(text, state)
                text = _read(self.path)
                if text == seen:
                    state = result
                    publish(state)

    def _result(self, text: Text, before: State) -> State:
        """What follows from a text; where it has errors, those beside the last good page."""
        try:
            if isinstance(text, str):
                raise ArchspecError("unreadable", f"cannot read {self.path}: {text}", hint="save it there again")
            with collector_paused():
                data = self.page_data(build(parse_document(text, str(self.path)), self.choices))
                message = json.dumps({"kind": "page", "data": data}, ensure_ascii=False, separators=(",", ":"))
        except ArchspecError as error:
            return _failed(error, text, before)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            what = f"archspec itself failed: {type(error).__name__}: {error}"
            hint = "this is a mistake in archspec: please report it with the spec"
            return _failed(ArchspecError("internal-error", what, hint=hint), text, before)
        return State(before.number + 1, data, message)


def _failed(error: ArchspecError, text: Text, before: State) -> State:
    told = str(error)
    message = {
        "kind": "error",
        "diagnostics": [diagnostic.to_dict() for diagnostic in error.diagnostics],
        "text": told,
        "source": text.decode(errors="replace") if isinstance(text, bytes) else None,
    }
    return replace(before, error=json.dumps(message, ensure_ascii=False, separators=(",", ":")), told=told)


def _read(path: Path) -> Text:
    """The text of the file, no longer than what is refused as too long."""
    try:
        if path.is_fifo():
            return "it is a pipe, and what it holds can be read only once"
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        return error.strerror or str(error)
