"""The page of a spec that was not right since the server started: its errors, until the first text without any."""

from __future__ import annotations

import base64
import hashlib
import html
from string import Template

from visualize.page.document import LOCAL

STYLE = """
:root { color-scheme: light dark; }
body { margin: 3rem auto; max-width: 60rem; padding: 0 1.5rem; font: 1rem/1.5 system-ui, sans-serif; }
pre { overflow-x: auto; padding: 1rem; border-left: 0.25rem solid #d33; background: #8881; font-size: 0.875rem; }
"""
SCRIPT = """
'use strict';
(() => {
  const token = document.querySelector('meta[name="archspec-live"]').content;
  const follow = () => {
    const socket = new WebSocket(`ws://${location.host}/live?token=${encodeURIComponent(token)}`);
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.kind === 'page') location.reload();
      else document.getElementById('error').textContent = message.text;
    };
    socket.onclose = () => setTimeout(follow, 1000);
  };
  follow();
})();
"""
PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="archspec-live" content="$token">
<link rel="icon" href="data:,">
<title>$title · archspec</title>
<style>$style</style>
</head>
<body>
<h1>$title</h1>
<p>The spec cannot be shown yet. This page follows as soon as it is saved without errors.</p>
<pre id="error" role="alert">$error</pre>
<script>$script</script>
</body>
</html>
""")


def waiting_html(title: str, error: str, token: str) -> str:
    """A page that shows the newest error, and gives way to the report once there is one."""
    policy = {
        "default-src": "'none'",
        "script-src": _hash(SCRIPT),
        "style-src": _hash(STYLE),
        "img-src": "data:",
        "connect-src": LOCAL,
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return PAGE.substitute(
        policy=html.escape("; ".join(f"{name} {value}" for name, value in policy.items())),
        token=html.escape(token),
        title=html.escape(title),
        error=html.escape(error),
        style=STYLE,
        script=SCRIPT,
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
