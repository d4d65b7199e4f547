// Cost over time: a bar for each bin, and a stretch of them that is selected.

class TimeGraph {
  constructor(canvas, onSelect) {
    this.canvas = canvas;
    this.onSelect = onSelect;
    this.totals = [];
    this.first = 0;
    this.end = 0;
    this.anchor = null;
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      this.anchor = this.binAt(event);
      this.moved = false;
    });
    canvas.addEventListener("pointermove", event => {
      if (this.anchor !== null && this.binAt(event) !== this.anchor) {
        this.moved = true;
        this.select(Math.min(this.anchor, this.binAt(event)), Math.max(this.anchor, this.binAt(event)) + 1);
      }
    });
    canvas.addEventListener("pointerup", () => {
      if (this.anchor !== null && !this.moved) {
        this.select(0, this.totals.length); // a click ends the selection
      }
      this.anchor = null;
    });
    canvas.addEventListener("keydown", event => this.key(event));
  }

  show(totals, first, end) {
    this.totals = totals;
    this.first = first;
    this.end = end;
    this.draw();
  }

  binAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const bin = Math.floor((event.clientX - box.left) / box.width * this.totals.length);
    return Math.max(0, Math.min(this.totals.length - 1, bin));
  }

  select(first, end) {
    this.first = Math.max(0, Math.min(first, this.totals.length - 1));
    this.end = Math.max(this.first + 1, Math.min(end, this.totals.length));
    this.draw();
    this.onSelect(this.first, this.end);
  }

  key(event) {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (event.key === "Escape") {
      this.select(0, this.totals.length);
    } else if (step !== 0 && event.shiftKey) {
      this.select(this.first, this.end + step);
    } else if (step !== 0) {
      const length = Math.min(this.end - this.first, Math.max(1, Math.floor(this.totals.length / 10)));
      const first = Math.max(0, Math.min(this.first + step, this.totals.length - length));
      this.select(first, first + length);
    } else {
      return;
    }
    event.preventDefault();
  }

  draw() {
    const canvas = this.canvas;
    const [width, height] = [canvas.clientWidth, 64];
    const context = scaledContext(canvas, height);
    const style = getComputedStyle(document.documentElement);
    const most = Math.max(1, ...this.totals);
    const each = width / Math.max(1, this.totals.length);
    this.totals.forEach((total, bin) => {
      const inside = this.first <= bin && bin < this.end;
      context.fillStyle = style.getPropertyValue(inside ? "--accent" : "--line");
      const high = total / most * (height - 4);
      context.fillRect(bin * each, height - high, Math.max(0.7, each - (each > 4 ? 1 : 0)), high);
    });
  }
}
