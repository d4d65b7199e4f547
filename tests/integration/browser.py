"""Chromium without a window, driven through its debugging pipe (--remote-debugging-pipe: JSON messages that end with a zero byte)."""
import base64
import json
import os
import select
import shutil
import subprocess
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60  # seconds


def executable():
    """Its path, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page. It ends with the `with` block."""

    def __init__(self, folder):
        to_browser, self.to = os.pipe()
        self.of, from_browser = os.pipe()
        def connect():  # it reads from 3 and writes to 4
            high = [os.dup(end) for end in (to_browser, from_browser)]
            for descriptor, end in zip((3, 4), high):
                os.dup2(end, descriptor)
        self.process = subprocess.Popen(
            [executable(), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
             "--user-data-dir=" + folder, "--remote-debugging-pipe", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=connect)
        os.close(to_browser)
        os.close(from_browser)
        self.received = b""
        self.number = 0
        self.session = None
        self.events = []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close")
        except (OSError, AssertionError):
            self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self.to)
        os.close(self.of)

    def _message(self, end):
        while b"\0" not in self.received:
            ready, _, _ = select.select([self.of], [], [], max(0, end - time.monotonic()))
            assert ready, "Chromium does not answer"
            data = os.read(self.of, 1 << 20)
            assert data, "Chromium has ended"
            self.received += data
        message, _, self.received = self.received.partition(b"\0")
        return json.loads(message.decode())

    def call(self, method, **parameters):
        """A command of its protocol -> the answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            answer = self._message(end)
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def run(self, script):
        """The value of a JavaScript expression; a promise is awaited."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def open(self, path, ready):
        """Shows a file; waits until the expression `ready` is true."""
        self.events.clear()
        self.call("Page.navigate", url="file://" + path)
        end = time.monotonic() + PATIENCE
        while not self.run(ready):
            assert time.monotonic() < end, "the page does not become ready: " + self.run("document.body.innerText")[:2000]
            time.sleep(0.01)

    def shown_as(self, width, height, scheme="light"):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def press(self, key, shift=False):
        """A key, as KeyboardEvent.key calls it."""
        text = key if len(key) == 1 else "\r" if key == "Enter" else ""
        codes = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
                 "Home": 36, "End": 35, " ": 32}
        known = {"key": key, "modifiers": 8 if shift else 0, "windowsVirtualKeyCode": codes.get(key, 0)}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **known)
        self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    def mouse(self, kind, x, y):
        held = kind != "mouseMoved" or self.held
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left" if held else "none",
                  buttons=1 if held else 0, clickCount=1 if kind != "mouseMoved" else 0)

    held = False

    def drag(self, x, y, to_x, to_y):
        self.mouse("mousePressed", x, y)
        self.held = True
        for step in range(1, 5):
            self.mouse("mouseMoved", x + (to_x - x) * step / 4, y + (to_y - y) * step / 4)
        self.held = False
        self.mouse("mouseReleased", to_x, to_y)

    def click(self, x, y):
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def box(self, selector):
        """(left, top, width, height) of an element in the window, which scrolls to it."""
        return self.run("""(() => {
            const element = document.querySelector(%s);
            element.scrollIntoView({block: "center", behavior: "instant"});
            const box = element.getBoundingClientRect();
            return [box.left, box.top, box.width, box.height];
        })()""" % json.dumps(selector))

    def picture(self, path, whole=False):
        """A PNG of what the window shows, or of the whole page."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def complaints(self):
        """What went wrong in the page since it was opened, and whatever it loaded: nothing, as it should be."""
        return [event for event in self.events
                if event["method"] == "Runtime.exceptionThrown"
                or event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] in ("error", "warning")
                or event["method"] == "Network.requestWillBeSent" and event["params"]["type"] != "Document"]
