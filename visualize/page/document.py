"""The page as one file: markup, styles, scripts and data, closed to the network and to scripts in a spec's text."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from string import Template

ASSETS = Path(__file__).parent / "assets"
STYLES = ("page", "panels", "table", "figures")
SCRIPTS = (
    "core",
    "theme",
    "summary",
    "rows",
    "table",
    "controls",
    "viewport",
    "diagram",
    "regions",
    "canvas",
    "words",
    "explorer",
    "shares",
    "source",
    "verification",
    "main",
)
LIVE = "live"
LOCAL = "'self' ws://127.0.0.1:* ws://localhost:*"  # to some browsers a socket is not 'self'
UNSAFE = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def page_html(data: Mapping[str, object], live: str | None = None) -> str:
    """One self-contained page that shows `data`. With the token of a server, `live`, it follows what that sends.

    The page asks for nothing beyond itself: its own scripts and styles run by their hashes alone, and text of the spec
    is data that no parser of HTML sees.
    """
    styles, scripts = _joined("css", STYLES), _joined("js", (*SCRIPTS, LIVE) if live else SCRIPTS)
    policy = {
        "default-src": "'none'",
        "script-src": _hashed(scripts),
        "style-src": _hashed(styles),
        "img-src": "data: blob:",
        "connect-src": LOCAL if live else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return Template(_asset("page.html")).substitute(
        policy="; ".join(f"{name} {value}" for name, value in policy.items()),
        title=html.escape(str(data["title"])),
        token=html.escape(live or ""),
        styles=styles,
        scripts=scripts,
        data=json.dumps(data, separators=(",", ":"), ensure_ascii=False).translate(UNSAFE),
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _joined(kind: str, names: Iterable[str]) -> str:
    return "\n".join(_asset(f"{name}.{kind}") for name in names)


@cache
def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
