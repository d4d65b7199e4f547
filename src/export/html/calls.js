// The table of how long calls took, and the slowest ones as waterfalls.

const byId = id => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) {
    made.className = className;
  }
  return made;
}

/// A button that is a link to what `onClick` shows.
function linkTo(text, onClick, title = "") {
  const made = element("button", text, "link");
  made.type = "button";
  made.title = title;
  made.addEventListener("click", onClick);
  return made;
}

class CallTables {
  /// `onChoose` is given a function's label, `onStretch` a time in nanoseconds [from, to).
  constructor(model, {onChoose, onStretch}) {
    this.model = model;
    this.data = model.data.calls;
    this.onChoose = onChoose;
    this.onStretch = onStretch;
  }

  /// null: all of the time.
  show(stretch) {
    byId("calls-section").hidden = this.data === null;
    byId("slowest-section").hidden = this.data === null || this.data.slowest.length === 0;
    if (this.data === null) {
      return;
    }
    const unknown = stretch !== null && this.data.calls === null;
    const rows = stretch === null || unknown ? this.data.rows : rowsOfCalls(this.data, ...stretch);
    const note = stretch === null ? "" : unknown ? " There are too many calls to pick those of this stretch: these are of all the time."
      : " These are the calls that ended in this stretch; of those, CPU time is not known.";
    byId("calls-note").textContent = `Calls shorter than ${costText(this.data.resolution_ns, "ns")} are mostly not seen. ` +
      `p95 takes ${this.data.for_p95} calls, p99 ${this.data.for_p99}; > and < mark bounds.${note}`;
    byId("calls").tBodies[0].replaceChildren(...rows.slice(0, 50).map(row => this.row(row)));
    this.fillSlowest(stretch);
  }

  label(number) {
    return this.model.data.labels[number];
  }

  row(row) {
    const awaited = row.await_on.map(([label, time]) => `${this.label(label).name} ${costText(time, "ns")}`).join(", ");
    const name = document.createElement("td");
    const label = this.label(row.label);
    name.append(linkTo(label.name, () => this.onChoose(label), `${label.file}:${label.line}`));
    const made = document.createElement("tr");
    made.append(name, ...[
      row.calls.toLocaleString("en"), lengthText(row.p50, row.begun, 1), lengthText(row.p95, row.begun, this.data.for_p95),
      lengthText(row.p99, row.begun, this.data.for_p99), costText(row.max_ns, "ns"),
      row.cpu_ns === null ? "–" : costText(row.cpu_ns, "ns"), costText(row.await_ns, "ns")].map(text => element("td", text, "number")),
    element("td", awaited, "file"));
    return made;
  }

  fillSlowest(stretch) {
    const shown = this.data.slowest.filter(call => stretch === null || stretch[0] <= call.to && call.to < stretch[1]);
    byId("slowest-note").hidden = shown.length > 0;
    byId("slowest").replaceChildren(...shown.map((call, place) => this.waterfall(call, place === 0)));
  }

  waterfall(call, open) {
    const length = call.to - call.from;
    const made = document.createElement("details");
    made.open = open;
    made.append(element("summary", `${this.label(call.label).name}: ${costText(length, "ns")} from ${costText(call.from, "ns")} on, ` +
      `suspended ${shareText(call.await_ns, length)}${call.ended ? "" : "; it had not ended"}`));
    const list = element("div", "", "waterfall");
    list.append(...[{...call, depth: 0}, ...call.parts].flatMap(part => this.bar(call, part)));
    made.append(list);
    if (call.more) {
      made.append(element("p", "Shorter or earlier parts are left out.", "hint"));
    }
    const button = element("button", "Select this stretch of time");
    button.type = "button";
    button.addEventListener("click", () => this.onStretch(call.from, call.to));
    made.append(button);
    return made;
  }

  bar(call, part) {
    const label = this.label(part.label);
    const length = part.to - part.from;
    const name = element("span", label.name, "name");
    name.style.paddingLeft = Math.min(part.depth, 16) * 10 + "px";
    name.title = `${label.file}:${label.line}`;
    const lane = element("span", "", "lane");
    const bar = element("span", "", "bar");
    const all = call.to - call.from;
    bar.style.left = 100 * (part.from - call.from) / all + "%";
    bar.style.width = Math.max(0.2, 100 * length / all) + "%";
    bar.style.background = colorOf(label, window.matchMedia("(prefers-color-scheme: dark)").matches);
    lane.title = `${costText(part.from - call.from, "ns")} after its begin, for ${costText(length, "ns")}, suspended ${costText(part.await_ns, "ns")}`;
    lane.append(bar);
    return [name, lane, element("span", costText(length, "ns"), "number")];
  }
}
