// The lines of the hottest files, with what each cost itself.

class SourceView {
  constructor(model) {
    this.model = model;
    this.data = model.data.sources;
    this.file = 0;
    this.whole = false;
    byId("source-section").hidden = this.data === null;
    if (this.data !== null) {
      byId("source-file").addEventListener("change", () => {
        this.file = Number(byId("source-file").value);
        this.fill();
      });
      byId("source-whole").addEventListener("change", () => this.fill());
    }
  }

  /// `costs` of nodes, all of which is `total`.
  show(costs, total, unit) {
    if (this.data === null) {
      return;
    }
    this.costs = lineCosts(this.data, costs);
    [this.total, this.unit] = [total, unit];
    const sums = this.costs.map(lines => [...lines.values()].reduce((a, b) => a + b, 0));
    byId("source-file").replaceChildren(...this.data.files.map((file, number) => {
      const made = element("option", `${file.name} – ${shareText(sums[number], total)}`);
      made.value = number;
      return made;
    }));
    byId("source-file").value = this.file;
    this.fill();
  }

  fill() {
    const file = this.data.files[this.file];
    const costs = this.costs[this.file];
    const most = Math.max(1, ...costs.values());
    byId("source-differs").hidden = !file.differs;
    const around = byId("source-whole").checked ? Infinity : 5;
    const hot = [...costs.keys()].sort((a, b) => a - b);
    const rows = [];
    let next = 0; // of `hot`: the first that is not too far above
    let before = 0;
    for (let line = 1; line <= file.lines.length; ++line) {
      while (next < hot.length && hot[next] < line - around) {
        ++next;
      }
      if (around !== Infinity && (next === hot.length || hot[next] > line + around)) {
        continue;
      }
      if (line > before + 1) {
        rows.push(this.row("", "⋮", ""));
      }
      rows.push(this.row(line, file.lines[line - 1], costs.get(line) || 0, most));
      before = line;
    }
    byId("source").tBodies[0].replaceChildren(...rows);
  }

  row(line, text, cost, most) {
    const made = document.createElement("tr");
    const value = element("td", cost > 0 ? `${costText(cost, this.unit)} (${shareText(cost, this.total)})` : "", "number");
    const code = element("td", text, "code");
    if (cost > 0) {
      const part = Math.round(8 + 37 * Math.sqrt(cost / most));
      code.style.background = value.style.background = `color-mix(in srgb, var(--heat) ${part}%, transparent)`;
    }
    made.append(value, element("td", String(line), "number soft"), code);
    return made;
  }
}
