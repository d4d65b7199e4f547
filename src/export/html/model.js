// The recording's data, and what is computed from it. Nothing here touches the page.
"use strict";

const LEVEL = {root: 0, process: 1, thread: 2, task: 3, frame: 4};
const ORIGIN = {project: 0, library: 1, standard: 2, none: 3}; // where a function's file belongs
const KIND = {python: 0, loop: 1, border: 2, unreadable: 3};   // of a frame

/// Nodes refer to labels by number; costs are lists of node and value for each bin of time, the nodes as differences.
function openModel(data) {
  const parents = new Int32Array(data.nodes.length / 2);
  const labels = new Int32Array(parents.length);
  for (let i = 0; i < parents.length; ++i) {
    parents[i] = i - data.nodes[2 * i];
    labels[i] = data.nodes[2 * i + 1];
  }
  data.labels.forEach((label, number) => {
    if (label.level === LEVEL.frame && label.kind !== KIND.unreadable && label.kind !== KIND.border) {
      label.key = number; // of a function
    }
  });
  return {data, parents, labels, labelOf: node => data.labels[labels[node]]};
}

/// The cost of each node itself in the bins from `first` up to, not including, `end`.
function selfCosts(model, metric, first, end) {
  const costs = new Float64Array(model.parents.length);
  for (const bin of metric.bins.slice(first, end)) {
    for (let i = 0, node = 0; i < bin.length; i += 2) {
      node += bin[i];
      costs[node] += bin[i + 1];
    }
  }
  return costs;
}

function binTotals(metric) {
  return metric.bins.map(bin => {
    let sum = 0;
    for (let i = 1; i < bin.length; i += 2) {
      sum += bin[i];
    }
    return sum;
  });
}

/// The tree that is shown: {label, self, total, children, parent, crossing}. `view`: {threads, collapse}.
function shownTree(model, costs, view, unsampled) {
  const root = {label: {name: "all", level: LEVEL.root}, self: 0, total: 0, children: new Map(), parent: null, depth: 0};
  const child = (parent, key, label) => {
    let node = parent.children.get(key);
    if (node === undefined) {
      node = {label, self: 0, total: 0, children: new Map(), parent, depth: parent.depth + 1, crossing: false};
      parent.children.set(key, node);
    }
    return node;
  };
  const known = new Array(model.parents.length);
  known[0] = {node: root, crossing: false};
  const place = index => { // where a node of the recording's tree is shown; parents first, without recursion
    const path = [];
    let at = index;
    for (; known[at] === undefined; at = model.parents[at]) {
      path.push(at);
    }
    while (path.length > 0) {
      const next = path.pop();
      known[next] = step(known[model.parents[next]], next);
    }
    return known[index];
  };
  const step = (from, index) => {
    const label = model.labelOf(index);
    if (label.kind === KIND.border) {
      return {node: from.node, crossing: true};
    }
    let parent = from.node;
    if (label.level === LEVEL.task && !view.threads && parent.label.level === LEVEL.thread) {
      parent = parent.parent; // a task counts by its coroutine, whatever thread ran it
    }
    let node;
    if (view.collapse && label.level === LEVEL.frame && label.origin !== ORIGIN.project && label.kind !== KIND.unreadable) {
      const packageName = label.origin === ORIGIN.standard ? "Python's library" : label.package;
      if (parent.packages === undefined) {
        const collapsed = {name: "", level: LEVEL.frame, origin: label.origin, package: label.package, collapsed: true};
        node = child(parent, "collapsed", collapsed);
        node.packages = node.packages || new Set();
      } else {
        node = parent;
      }
      node.packages.add(packageName);
      node.label.name = "… " + [...node.packages].join(", ");
    } else {
      node = child(parent, model.labels[index], label);
    }
    node.crossing = node.crossing || from.crossing;
    return {node, crossing: false};
  };
  for (let i = 0; i < costs.length; ++i) {
    if (costs[i] > 0) {
      place(i).node.self += costs[i];
    }
  }
  if (unsampled > 0) {
    child(root, "unsampled", {name: "[not sampled]", level: LEVEL.thread}).self = unsampled;
  }
  addUp(root);
  return root;
}

/// Totals from the leaves on; children by cost; nodes without any are dropped.
function addUp(root) {
  const order = [root];
  for (let i = 0; i < order.length; ++i) {
    for (const each of order[i].children.values()) {
      order.push(each);
    }
  }
  for (let i = order.length - 1; i >= 0; --i) {
    const node = order[i];
    node.children = [...node.children.values()].filter(each => each.total > 0).sort((a, b) => b.total - a.total);
    node.total = node.self + node.children.reduce((sum, each) => sum + each.total, 0);
  }
}

function walk(root, visit) {
  const stack = [root];
  while (stack.length > 0) {
    const node = stack.pop();
    visit(node);
    for (const each of node.children) {
      stack.push(each);
    }
  }
}

/// Functions with self and total cost. A function that is in a stack more than once counts once.
function functionCosts(root) {
  const functions = new Map();
  const open = new Map();
  const stack = [[root, false]];
  while (stack.length > 0) {
    const [node, leaving] = stack.pop();
    const label = node.label;
    const counts = label.key !== undefined;
    if (leaving) {
      open.set(label.key, open.get(label.key) - 1);
      continue;
    }
    if (counts) {
      let row = functions.get(label.key);
      if (row === undefined) {
        row = {label, self: 0, total: 0};
        functions.set(label.key, row);
      }
      const depth = open.get(label.key) || 0;
      row.self += node.self;
      row.total += depth === 0 ? node.total : 0;
      open.set(label.key, depth + 1);
      stack.push([node, true]);
    }
    for (const each of node.children) {
      stack.push([each, false]);
    }
  }
  return [...functions.values()];
}

/// Who calls a function, and what it calls, by cost.
function relationsOf(root, key) {
  const callers = new Map();
  const callees = new Map();
  const add = (map, label, value) => {
    const name = label.key === undefined ? label.name : label.key;
    const row = map.get(name) || {label, total: 0};
    row.total += value;
    map.set(name, row);
  };
  walk(root, node => {
    if (node.label.key !== key) {
      return;
    }
    for (let above = node.parent; ; above = above.parent) { // a recursive call adds nothing to its caller's cost
      if (above === null) {
        add(callers, node.parent.label, node.total);
        break;
      }
      if (above.label.key === key) {
        break;
      }
    }
    for (const each of node.children) {
      add(callees, each.label, each.total);
    }
  });
  const sorted = map => [...map.values()].sort((a, b) => b.total - a.total);
  return {callers: sorted(callers), callees: sorted(callees)};
}

/// The cost of all stacks with a match, each once, and the nodes that match.
function searchTree(root, text) {
  const wanted = text.toLowerCase();
  const matches = new Set();
  let total = 0;
  const stack = [[root, false]];
  while (stack.length > 0) {
    const [node, inside] = stack.pop();
    const label = node.label;
    const found = node !== root && (label.name + " " + (label.file || "")).toLowerCase().includes(wanted);
    if (found) {
      matches.add(node);
      total += inside ? 0 : node.total;
    }
    for (const each of node.children) {
      stack.push([each, inside || found]);
    }
  }
  return {matches, total};
}

function costText(value, unit) {
  if (unit !== "ns") {
    return Math.round(value).toLocaleString("en") + " " + unit;
  }
  const units = [["s", 1e9], ["ms", 1e6], ["µs", 1e3]];
  const [name, size] = units.find(each => value >= each[1]) || ["ns", 1];
  return (value / size).toPrecision(3) + " " + name;
}

function shareText(value, whole) {
  return whole > 0 ? (100 * value / whole).toFixed(1) + " %" : "–";
}
