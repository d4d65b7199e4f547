// The flame graph: a canvas on which each frame is as wide as its cost.

const ROW = 18;

/// FNV-1a, as the SVG has it.
function hashOf(text) {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 16777619);
  }
  return (hash ^ hash >>> 15) >>> 0;
}

/// The project's own functions are warm, libraries cool (a hue each), Python's own library grey.
function colorOf(label, dark) {
  const light = dark ? 62 : 74;
  const hash = hashOf(label.name);
  if (label.level !== LEVEL.frame) {
    return label.level === LEVEL.task ? `hsl(282 35% ${light + 4}%)` : `hsl(220 12% ${light + 4}%)`;
  }
  if (label.kind === KIND.unreadable) {
    return "hsl(0 85% 62%)";
  }
  if (label.origin === ORIGIN.project) {
    return `hsl(${18 + hash % 34} 88% ${light - 6 + hash % 9}%)`;
  }
  if (label.origin === ORIGIN.library) {
    return `hsl(${165 + hashOf(label.package) % 80} 38% ${light - 2 + hash % 7}%)`;
  }
  return `hsl(220 8% ${light - 2 + hash % 7}%)`;
}

const shades = new Map(); // by label, of the scheme that is shown

function shadeOf(label, dark) {
  let shade = shades.get(label);
  if (shade === undefined || shade.dark !== dark) {
    shade = {dark, color: colorOf(label, dark)};
    shades.set(label, shade);
  }
  return shade.color;
}

class FlameGraph {
  constructor(canvas, {onDetail, onZoom}) {
    this.canvas = canvas;
    this.onDetail = onDetail;
    this.onZoom = onZoom;
    this.matches = null;
    this.rows = [];
    this.widths = new Map(); // of names, in the one font
    canvas.addEventListener("mousemove", event => this.hover(event));
    canvas.addEventListener("mouseleave", () => this.onDetail(this.focused));
    canvas.addEventListener("click", event => this.click(event));
    canvas.addEventListener("keydown", event => this.key(event));
    canvas.addEventListener("focus", () => this.draw());
    canvas.addEventListener("blur", () => this.draw());
  }

  show(tree, zoom, upward) {
    this.tree = tree;
    this.zoom = zoom;
    this.upward = upward;
    this.focused = zoom;
    this.layout();
    this.draw();
    this.onDetail(this.focused);
  }

  mark(matches) {
    this.matches = matches;
    this.draw();
  }

  /// Rows of {node, x, width} in parts of the whole width: what leads to the zoomed frame, then what is below it.
  layout() {
    const least = 0.5 / Math.max(1, this.canvas.clientWidth);
    this.rows = [];
    const path = [];
    for (let node = this.zoom; node >= 0; node = this.tree.parent(node)) {
      path.unshift(node);
    }
    path.forEach((node, depth) => { this.rows[depth] = [{node, x: 0, width: 1}]; });
    let row = this.rows[path.length - 1];
    while (row.length > 0) {
      const next = [];
      for (const {node, x, width} of row) {
        let at = x;
        for (const each of this.tree.children(node)) {
          const part = width * this.tree.totals[each] / this.tree.totals[node];
          if (part < least) {
            break; // so are those behind it
          }
          next.push({node: each, x: at, width: part});
          at += part;
        }
      }
      if (next.length > 0) {
        this.rows.push(next);
      }
      row = next;
    }
  }

  rowTop(depth) {
    return this.upward ? (this.rows.length - 1 - depth) * ROW : depth * ROW;
  }

  draw() {
    if (this.tree === undefined) {
      return;
    }
    const canvas = this.canvas;
    const width = canvas.clientWidth;
    const height = Math.max(1, this.rows.length) * ROW;
    const context = scaledContext(canvas, height);
    canvas.style.height = height + 2 + "px";
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    const style = getComputedStyle(document.documentElement);
    const colors = {ink: style.getPropertyValue("--on-frame"), mark: style.getPropertyValue("--mark"),
                    accent: style.getPropertyValue("--accent")};
    colors.dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    this.rows.forEach((row, depth) => {
      const top = this.rowTop(depth);
      for (const {node, x, width: part} of row) {
        this.drawFrame(context, node, {left: x * width, top, width: part * width}, colors);
      }
    });
  }

  drawFrame(context, node, {left, top, width}, colors) {
    const label = this.tree.label(node);
    const wide = Math.max(width - 0.6, 0.6);
    const dimmed = this.matches !== null && !this.matches.has(node);
    context.globalAlpha = dimmed ? 0.35 : this.tree.depth(node) < this.tree.depth(this.zoom) ? 0.6 : 1;
    context.fillStyle = shadeOf(label, colors.dark);
    context.fillRect(left, top, wide, ROW - 1);
    if (this.tree.crossing(node)) { // the child is another task
      context.fillStyle = colors.mark;
      context.fillRect(left, top, Math.min(3, wide), ROW - 1);
    }
    if (node === this.focused && document.activeElement === this.canvas) {
      context.strokeStyle = colors.accent;
      context.lineWidth = 2;
      context.strokeRect(left + 1, top + 1, Math.max(1, wide - 2), ROW - 3);
    }
    if (width > 34) {
      context.fillStyle = colors.ink;
      context.fillText(this.fitting(context, label.name, width - 9), left + 5, top + ROW / 2);
    }
    context.globalAlpha = 1;
  }

  /// As much of a name as fits, about: to measure each piece would take longer than all the rest.
  fitting(context, name, width) {
    let whole = this.widths.get(name);
    if (whole === undefined) {
      whole = context.measureText(name).width;
      this.widths.set(name, whole);
    }
    const letters = whole <= width ? name.length : Math.floor(name.length * width / whole) - 2;
    return letters === name.length ? name : letters > 1 ? name.slice(0, letters) + "…" : "";
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const fromTop = Math.floor((event.clientY - box.top) / ROW);
    const row = this.rows[this.upward ? this.rows.length - 1 - fromTop : fromTop] || [];
    const x = (event.clientX - box.left) / box.width;
    const found = row.find(each => each.x <= x && x < each.x + each.width);
    return found === undefined ? null : found.node;
  }

  hover(event) {
    const node = this.at(event);
    this.canvas.style.cursor = node === null ? "default" : "pointer";
    this.onDetail(node === null ? this.focused : node);
  }

  click(event) {
    const node = this.at(event);
    if (node !== null) {
      this.onZoom(node);
    }
  }

  move(node) {
    this.focused = node;
    this.draw();
    this.onDetail(node);
  }

  key(event) {
    const node = this.focused;
    const visible = new Set(this.rows.flatMap(row => row.map(each => each.node)));
    const parent = this.tree.parent(node);
    const siblings = parent < 0 ? [node] : this.tree.children(parent).filter(each => visible.has(each));
    const place = siblings.indexOf(node);
    const [toChild, toParent] = this.upward ? ["ArrowUp", "ArrowDown"] : ["ArrowDown", "ArrowUp"];
    let next;
    switch (event.key) {
    case toChild: next = this.tree.children(node).find(each => visible.has(each)); break;
    case toParent: next = parent; break;
    case "ArrowLeft": next = siblings[place - 1]; break;
    case "ArrowRight": next = siblings[place + 1]; break;
    case "Enter": this.onZoom(node); event.preventDefault(); return;
    case "Escape": this.onZoom(Math.max(0, this.tree.parent(this.zoom))); event.preventDefault(); return;
    default: return;
    }
    event.preventDefault();
    if (visible.has(next)) {
      this.move(next);
    }
  }
}
