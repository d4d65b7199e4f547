// The tables of requests by route, and of what held an event loop.

class RequestTable {
  /// null: the recording has none.
  constructor(data) {
    this.data = data;
  }

  /// null: all of the time.
  show(stretch) {
    byId("requests-section").hidden = this.data === null;
    if (this.data === null) {
      return;
    }
    const unknown = stretch !== null && this.data.requests === null;
    const rows = stretch === null || unknown ? this.data.rows : rowsOfRequests(this.data, ...stretch);
    byId("requests-note").textContent = stretch === null ? "" : unknown
      ? "There are too many requests to pick those of this stretch: these are of all the time."
      : "These are the requests that ended in this stretch; what they cost is only known of all the time.";
    byId("requests").tBodies[0].replaceChildren(...rows.map(row => this.row(row)));
  }

  row(row) {
    const time = value => value === null ? "–" : costText(value, "ns");
    const waits = [1, 2, 3].map(state => row.states_ns === null ? null : row.states_ns[state]);
    const route = element("td", row.route);
    route.title = row.view;
    const made = document.createElement("tr");
    made.append(route, ...[
      row.requests.toLocaleString("en"), ...[row.p50, row.p95, row.p99].map((each, i) => lengthText(each, row.begun, this.data.least[i])),
      row.max_ns === 0 ? "–" : time(row.max_ns), time(row.cpu_ns), ...waits.map(time), time(row.await_ns)].map(text => element("td", text, "number")));
    return made;
  }
}

class HoldTable {
  /// `onChoose` is given a function's label, `onStretch` a time in nanoseconds [from, to).
  constructor(model, {onChoose, onStretch}) {
    this.labels = model.data.labels;
    this.data = model.data.holds;
    this.onChoose = onChoose;
    this.onStretch = onStretch;
  }

  show(stretch) {
    const {rows, count} = this.data;
    byId("holds-section").hidden = count === 0;
    const shown = rows.filter(hold => stretch === null || hold.from < stretch[1] && stretch[0] < hold.to);
    const some = count > rows.length ? ` The longest ${rows.length} of ${count.toLocaleString("en")}.` : "";
    byId("holds-note").textContent = `Callbacks and steps of tasks that took longer than ${costText(this.data.longer_ns, "ns")}: ` +
      `meanwhile the loop ran nothing else.${some}${shown.length === 0 ? " None in this stretch of time." : ""}`;
    byId("holds").tBodies[0].replaceChildren(...shown.slice(0, 50).map(hold => this.row(hold)));
  }

  row(hold) {
    const made = document.createElement("tr");
    const when = element("td", "", "number");
    when.append(linkTo(costText(hold.from, "ns"), () => this.onStretch(hold.from, hold.to)));
    const who = document.createElement("td");
    if (hold.label === null) {
      who.textContent = "?";
    } else {
      const label = this.labels[hold.label];
      who.append(linkTo(label.name, () => this.onChoose(label), `${label.file}:${label.line}`));
    }
    made.append(when, element("td", (hold.begun && hold.ended ? "" : "> ") + costText(hold.to - hold.from, "ns"), "number"),
                element("td", STATES[hold.state].name), who, element("td", [hold.task, hold.route, hold.thread].filter(each => each !== "").join(", "), "file"));
    return made;
  }
}
