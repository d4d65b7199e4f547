// The seconds of the recording: a column each, from top to bottom its parts, the brighter the more happened.

const SLOT_HEIGHT = 5;
const AXIS = 18;

class HeatMap {
  constructor(canvas, {onSelect, onDetail}) {
    this.canvas = canvas;
    this.onSelect = onSelect;
    this.onDetail = onDetail;
    this.slots = [];
    this.cursor = 0;
    this.anchor = null;
    this.selected = null;
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      this.anchor = this.cursor = this.at(event);
      this.choose();
    });
    canvas.addEventListener("pointermove", event => {
      const slot = this.at(event);
      this.onDetail(slot);
      if (this.anchor !== null && slot !== this.cursor) {
        this.cursor = slot;
        this.choose();
      }
    });
    canvas.addEventListener("pointerup", () => { this.anchor = null; });
    canvas.addEventListener("pointerleave", () => this.onDetail(null));
    canvas.addEventListener("keydown", event => this.key(event));
  }

  /// There are `count` slots of `time` nanoseconds. `selected`: nanoseconds [from, to); null: everything.
  show(slots, {count, rows, time}, selected) {
    this.slots = slots;
    this.rows = rows;
    this.slotTime = time;
    this.selected = selected;
    this.columns = Math.ceil(count / rows);
    this.draw();
  }

  columnWidth() {
    return Math.min(56, this.canvas.clientWidth / this.columns);
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const within = (value, most) => Math.max(0, Math.min(most, Math.floor(value)));
    const column = within((event.clientX - box.left) / this.columnWidth(), this.columns - 1);
    return column * this.rows + within((event.clientY - box.top) / SLOT_HEIGHT, this.rows - 1);
  }

  choose() {
    const [first, last] = [Math.min(this.anchor, this.cursor), Math.max(this.anchor, this.cursor)];
    this.onSelect(first * this.slotTime, (last + 1) * this.slotTime);
  }

  key(event) {
    const steps = {ArrowUp: -1, ArrowDown: 1, ArrowLeft: -this.rows, ArrowRight: this.rows};
    if (event.key === "Escape") {
      this.keyAnchor = undefined;
      this.onSelect(null, null);
    } else if (steps[event.key] !== undefined) {
      const begin = this.keyAnchor === undefined ? this.cursor : this.cursor + steps[event.key];
      this.cursor = Math.max(0, Math.min(this.columns * this.rows - 1, begin));
      this.keyAnchor = event.shiftKey && this.keyAnchor !== undefined ? this.keyAnchor : this.cursor;
      this.anchor = this.keyAnchor;
      this.choose();
      this.anchor = null;
      this.onDetail(this.cursor);
    } else {
      return;
    }
    event.preventDefault();
  }

  draw() {
    const canvas = this.canvas;
    const height = this.rows * SLOT_HEIGHT;
    const context = scaledContext(canvas, height + AXIS);
    const style = getComputedStyle(document.documentElement);
    const width = this.columnWidth();
    const most = this.slots.reduce((a, b) => Math.max(a, b), 1);
    for (let slot = 0; slot < this.columns * this.rows; ++slot) {
      const part = Math.sqrt((this.slots[slot] || 0) / most);
      const inside = this.selected === null || this.isSelected(slot);
      context.globalAlpha = 1;
      context.fillStyle = style.getPropertyValue("--panel");
      const place = [Math.floor(slot / this.rows) * width, slot % this.rows * SLOT_HEIGHT, Math.max(0.6, width - (width > 4 ? 1 : 0)),
                     SLOT_HEIGHT - 1];
      context.fillRect(...place);
      context.globalAlpha = (part > 0 ? 0.12 + 0.88 * part : 0) * (inside ? 1 : 0.45);
      context.fillStyle = style.getPropertyValue(inside ? "--heat" : "--soft");
      context.fillRect(...place);
    }
    context.globalAlpha = 1;
    this.drawAxis(context, style, width, height);
  }

  isSelected(slot) {
    const middle = (slot + 0.5) * this.slotTime;
    return this.selected[0] <= middle && middle < this.selected[1];
  }

  drawAxis(context, style, width, height) {
    const seconds = this.rows * this.slotTime / 1e9;
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
    const step = steps.find(each => each * width >= 56) || 600;
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.fillStyle = style.getPropertyValue("--soft");
    for (let column = 0; column < this.columns; column += step) {
      context.fillText(`${column * seconds} s`, column * width, height + AXIS / 2 + 1);
    }
  }
}
