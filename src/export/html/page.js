// Connects the data, the graphs and the tables with the page.

function openPage(data) {
  const model = openModel(data);
  const state = {metric: data.metrics[0], first: 0, end: data.metrics[0].bins.length, zoom: [], sort: "self", rows: 30,
                 chosen: null};
  const view = () => ({collapse: byId("collapse").checked, threads: byId("threads").checked});
  const part = (value, whole) => `${costText(value, state.metric.unit)} (${shareText(value, whole)})`;
  const placeOf = label => label.file ? `${label.file}:${label.line}` : "";
  const secondsText = nanoseconds => (nanoseconds / 1e9).toFixed(2) + " s";
  const time = bins => costText(bins * data.bin_ns, "ns");

  const flame = new FlameGraph(byId("flame"), {
    onDetail: node => {
      const label = state.tree.label(node);
      const crossing = state.tree.crossing(node) ? " – another task" : "";
      const lines = [`${label.name}${label.file ? ` (${placeOf(label)})` : ""}${crossing}`,
                     `total ${part(state.tree.totals[node], state.tree.total)}, self ${part(state.tree.self[node], state.tree.total)}`];
      byId("detail").replaceChildren(lines[0], document.createElement("br"), lines[1]);
    },
    onZoom: node => {
      state.zoom = pathOf(node);
      drawFlame();
    }
  });
  const select = (first, end) => {
    state.first = first;
    state.end = end;
    drawTime();
    compute();
  };
  const selectTime = (from, to) => graph.select(Math.floor(from / data.bin_ns), Math.ceil(to / data.bin_ns));
  const graph = new CostGraph(byId("time"), select);
  const states = new StateGraph(byId("states"), select, {states: data.states, holds: data.holds.rows, binTime: data.bin_ns});
  const slotTime = data.column_ns / data.rows;
  const slotCount = Math.max(1, ...data.metrics.map(each => each.slots.length));
  const heat = new HeatMap(byId("heat"), {
    onSelect: (from, to) => {
      const bins = state.metric.bins.length;
      if (from === null) {
        graph.select(0, bins);
      } else {
        selectTime(from, to);
      }
    },
    onDetail: slot => {
      const inTime = state.metric.unit === "ns" && state.metric.name !== "await";
      const unit = inTime ? "samples on a CPU" : state.metric.unit;
      byId("heat-detail").textContent = slot === null ? ""
        : `${secondsText(slot * slotTime)} to ${secondsText((slot + 1) * slotTime)}: ${costText(state.metric.slots[slot] || 0, unit)}.`;
    }
  });

  const nameIn = (tree, node) => tree.label(node).name + placeOf(tree.label(node));

  const calls = new CallTables(model, {
    onChoose: label => choose(label),
    onStretch: selectTime
  });
  const requests = new RequestTable(data.requests);
  const holds = new HoldTable(model, {onChoose: label => choose(label), onStretch: selectTime});

  const source = new SourceView(model);

  function pathOf(node) {
    const path = [];
    for (let at = node; at > 0; at = state.tree.parent(at)) {
      path.unshift(nameIn(state.tree, at));
    }
    return path;
  }

  /// The same frame in a tree that was computed anew, or the innermost of its callers that is in there.
  function followed(path) {
    let node = 0;
    for (const name of path) {
      const next = state.tree.children(node).find(each => nameIn(state.tree, each) === name);
      if (next === undefined) {
        break;
      }
      node = next;
    }
    return node;
  }

  function drawFlame() {
    flame.show(state.tree, followed(state.zoom), byId("flames").checked);
  }

  function search() {
    const text = byId("search").value.trim();
    const {matches, total} = text === "" ? {matches: null, total: 0} : searchTree(state.tree, text);
    byId("found").textContent = matches === null ? "" : matches.size === 0 ? "no match" : part(total, state.tree.total);
    flame.mark(matches);
  }

  function row(cells) {
    const made = document.createElement("tr");
    made.append(...cells);
    return made;
  }

  function functionButton(label) {
    const cell = document.createElement("td");
    cell.append(linkTo(label.name, () => choose(label)));
    return cell;
  }

  function fillTable() {
    const rows = functionCosts(state.full).sort((a, b) => b[state.sort] - a[state.sort] || b.total - a.total);
    byId("functions").tBodies[0].replaceChildren(...rows.slice(0, state.rows).map(each => row([
      element("td", part(each.self, state.tree.total), "number"),
      element("td", part(each.total, state.tree.total), "number"),
      functionButton(each.label),
      element("td", placeOf(each.label), "file")])));
    byId("more").hidden = rows.length <= state.rows;
    byId("by-self").setAttribute("aria-pressed", state.sort === "self");
    byId("by-total").setAttribute("aria-pressed", state.sort === "total");
    if (state.chosen !== null) {
      fillRelations();
    }
  }

  function fillRelations() {
    const relations = relationsOf(state.full, state.chosen.key);
    byId("relations-title").textContent = `${state.chosen.name} (${placeOf(state.chosen)})`;
    for (const side of ["callers", "callees"]) {
      byId(side).tBodies[0].replaceChildren(...relations[side].slice(0, 20).map(each => row([
        element("td", part(each.total, state.tree.total), "number"),
        each.label.key === undefined ? element("td", each.label.name) : functionButton(each.label)])));
    }
    byId("relations").hidden = false;
  }

  function choose(label) {
    state.chosen = label;
    byId("search").value = label.name;
    search();
    fillRelations();
    byId("relations").scrollIntoView({block: "nearest"});
  }

  function compute() {
    const whole = state.first === 0 && state.end === state.metric.bins.length;
    const costs = selfCosts(model, state.metric, state.first, state.end);
    const unsampled = whole ? state.metric.unsampled : 0;
    state.tree = shownTree(model, costs, view(), unsampled);
    // The tables name every function, whatever the graph collapses.
    state.full = view().collapse ? shownTree(model, costs, {...view(), collapse: false}, unsampled) : state.tree;
    byId("range").textContent = whole ? `All ${time(state.end)} are shown.`
                                      : `Shown: from ${time(state.first)} to ${time(state.end)}.`;
    const stretch = whole ? null : [state.first * data.bin_ns, state.end * data.bin_ns];
    calls.show(stretch);
    requests.show(stretch);
    holds.show(stretch);
    source.show(costs, state.tree.total, state.metric.unit);
    heat.show(state.metric.slots, {count: slotCount, rows: data.rows, time: slotTime}, stretch);
    drawFlame();
    search();
    fillTable();
  }

  function drawTime() {
    graph.show(state.totals, state.first, state.end);
    states.show(data.states.length, state.first, state.end);
    const sums = states.sums();
    const all = sums.reduce((sum, each) => sum + each.samples, 0);
    const style = getComputedStyle(document.documentElement);
    const parts = sums.map(each => patched(`${each.state.name} ${shareText(each.samples, all)}`, style.getPropertyValue(each.state.color)));
    byId("states-legend").replaceChildren(element("span", "What threads did:"), ...parts);
    if (data.holds.rows.length > 0) {
      byId("states-legend").append(element("span", "the bars below: when an event loop was held"));
    }
  }

  /// A text behind a patch of its colour.
  function patched(text, color) {
    const made = element("span", " " + text);
    const patch = document.createElement("canvas");
    patch.width = patch.height = 12;
    const context = patch.getContext("2d");
    context.fillStyle = color;
    context.fillRect(0, 0, 12, 12);
    made.prepend(patch);
    return made;
  }

  function changeMetric() {
    state.metric = data.metrics.find(each => each.name === byId("metric").value);
    state.totals = binTotals(state.metric);
    drawTime();
    compute();
  }

  function fillHeader() {
    document.title = data.title;
    byId("title").textContent = data.title;
    byId("heat-title").textContent = data.column_ns === 1e9 ? "Each second" : `Each ${data.column_ns / 1e9} seconds`;
    byId("facts").replaceChildren(...data.facts.map(([name, value]) => {
      const made = document.createElement("div");
      made.append(element("dt", name), element("dd", value));
      return made;
    }));
    byId("quality").replaceChildren(...data.quality.map(each => element("li", each.text, each.warn ? "warn" : "")));
    byId("metric").replaceChildren(...data.metrics.map(each => {
      const made = element("option", each.title);
      made.value = each.name;
      return made;
    }));
    const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    const kinds = [["your code", {origin: ORIGIN.project, name: "a"}], ["libraries", {origin: ORIGIN.library, name: "a", package: "a"}],
                   ["Python's library", {origin: ORIGIN.standard, name: "a"}]];
    byId("legend").replaceChildren(...kinds.map(([text, label]) => patched(
      text, colorOf({level: LEVEL.frame, kind: KIND.python, ...label}, dark))), element("span", "a mark at a frame's left edge: another task goes on there"));
  }

  fillHeader();
  byId("metric").value = data.metric;
  byId("metric").addEventListener("change", changeMetric);
  byId("search").addEventListener("input", search);
  for (const id of ["collapse", "threads"]) {
    byId(id).addEventListener("change", compute);
  }
  byId("flames").addEventListener("change", drawFlame);
  for (const sort of ["self", "total"]) {
    byId("by-" + sort).addEventListener("click", () => {
      state.sort = sort;
      fillTable();
    });
  }
  byId("more").addEventListener("click", () => {
    state.rows += 100;
    fillTable();
  });
  byId("reset").addEventListener("click", () => {
    state.zoom = [];
    state.chosen = null;
    byId("search").value = "";
    byId("relations").hidden = true;
    graph.select(0, state.metric.bins.length);
  });
  byId("controls").addEventListener("submit", event => event.preventDefault());
  document.addEventListener("keydown", event => {
    if (event.key === "/" && !["INPUT", "SELECT"].includes(document.activeElement.tagName)) {
      byId("search").focus();
      event.preventDefault();
    }
  });
  window.addEventListener("resize", () => {
    flame.layout();
    flame.draw();
    graph.draw();
    states.draw();
    heat.draw();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    fillHeader();
    byId("metric").value = state.metric.name;
    flame.draw();
    drawTime();
    heat.draw();
  });
  changeMetric();
}

unpacked(byId("data").textContent).then(openPage).catch(error => {
  byId("title").textContent = `This page cannot be shown (${error.message}). It needs a browser of 2023 or later.`;
});
