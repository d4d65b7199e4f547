// Over time: a bar for each bin, and a stretch of them that is selected.

/// What the bars are is up to those that extend it: `bins` of them.
class TimeGraph {
  constructor(canvas, onSelect) {
    this.canvas = canvas;
    this.onSelect = onSelect;
    this.bins = 0;
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
        this.select(0, this.bins); // a click ends the selection
      }
      this.anchor = null;
    });
    canvas.addEventListener("keydown", event => this.key(event));
  }

  show(bins, first, end) {
    this.bins = bins;
    this.first = first;
    this.end = end;
    this.draw();
  }

  binAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const bin = Math.floor((event.clientX - box.left) / box.width * this.bins);
    return Math.max(0, Math.min(this.bins - 1, bin));
  }

  select(first, end) {
    const from = Math.max(0, Math.min(first, this.bins - 1));
    this.onSelect(from, Math.max(from + 1, Math.min(end, this.bins)));
  }

  key(event) {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (event.key === "Escape") {
      this.select(0, this.bins);
    } else if (step !== 0 && event.shiftKey) {
      this.select(this.first, this.end + step);
    } else if (step !== 0) {
      const length = Math.min(this.end - this.first, Math.max(1, Math.floor(this.bins / 10)));
      const first = Math.max(0, Math.min(this.first + step, this.bins - length));
      this.select(first, first + length);
    } else {
      return;
    }
    event.preventDefault();
  }

  /// A bar's place and breadth in a canvas of this width.
  bar(bin, width) {
    const each = width / Math.max(1, this.bins);
    return [bin * each, Math.max(0.7, each - (each > 4 ? 1 : 0))];
  }

  isSelected(bin) {
    return this.first <= bin && bin < this.end;
  }
}

class CostGraph extends TimeGraph {
  show(totals, first, end) {
    this.totals = totals;
    super.show(totals.length, first, end);
  }

  draw() {
    const [width, height] = [this.canvas.clientWidth, 48];
    const context = scaledContext(this.canvas, height);
    const style = getComputedStyle(document.documentElement);
    const most = Math.max(1, ...this.totals);
    this.totals.forEach((total, bin) => {
      const [left, breadth] = this.bar(bin, width);
      context.fillStyle = style.getPropertyValue(this.isSelected(bin) ? "--accent" : "--line");
      const high = total / most * (height - 4);
      context.fillRect(left, height - high, breadth, high);
    });
  }
}
