// How long calls took. Nothing here touches the page.

const LENGTH = {measured: 0, longer: 1, shorter: 2}; // what is known of a length

/// The p-quantiles, ascending, of [length, what is known of it], by Kaplan-Meier: calls that were cut are known to be longer.
function quantiles(lengths, wanted) {
  const ended = each => each[1] !== LENGTH.longer;
  const rank = each => [LENGTH.shorter, LENGTH.measured, LENGTH.longer].indexOf(each[1]); // of equal numbers
  const sorted = [...lengths].sort((a, b) => a[0] - b[0] || rank(a) - rank(b));
  const found = [];
  let lasting = 1; // the part of calls that lasts longer than those before
  for (let i = 0; i < sorted.length && found.length < wanted.length; ++i) {
    lasting *= ended(sorted[i]) ? 1 - 1 / (sorted.length - i) : 1;
    while (found.length < wanted.length && lasting <= 1 - wanted[found.length] + 1e-9) {
      found.push(sorted[i]);
    }
  }
  while (sorted.length > 0 && found.length < wanted.length) {
    found.push([sorted[sorted.length - 1][0], LENGTH.longer]);
  }
  return wanted.map((_, i) => found[i] || null);
}

/// The rows of those calls that ended in a stretch of time, nanoseconds [from, to). CPU time is not known of single calls.
function rowsOfCalls(data, from, to) {
  const all = new Map(data.rows.map(row => [row.label, {row, calls: 0, begun: 0, cut: 0, max_ns: 0, await_ns: 0, lengths: []}]));
  const calls = data.calls;
  for (let i = 0, end = 0; i < calls.length; i += 6) {
    end += calls[i + 1];
    const [length, is, cut, waited] = calls.slice(i + 2, i + 6);
    const found = all.get(calls[i]);
    if (found === undefined || end < from || end >= to) {
      continue;
    }
    found.calls += 1;
    found.cut += cut === 1 || is === LENGTH.longer ? 1 : 0;
    found.max_ns = Math.max(found.max_ns, length);
    found.await_ns += waited;
    if (cut === 0) {
      found.begun += 1;
      found.lengths.push([length, is]);
    }
  }
  return [...all.values()].filter(each => each.calls > 0).map(each => {
    const marked = length => each.row.merged && length !== null && length[1] === LENGTH.measured ? [length[0], LENGTH.shorter] : length;
    const [p50, p95, p99] = quantiles(each.lengths, [0.5, 0.95, 0.99]).map(marked);
    return {label: each.row.label, entry: each.row.entry, calls: each.calls, begun: each.begun, cut: each.cut, p50, p95, p99,
            max_ns: each.max_ns, cpu_ns: null, await_ns: each.await_ns, await_on: []};
  });
}

/// Requests by route, of those that ended in a stretch of time.
function rowsOfRequests(data, from, to) {
  const all = data.rows.map(row => ({row, requests: 0, max_ns: 0, lengths: []}));
  for (let i = 0, end = 0; i < data.requests.length; i += 5) {
    const [number, more, length, is, cut] = data.requests.slice(i, i + 5);
    end += more;
    if (end < from || end >= to) {
      continue;
    }
    const found = all[number];
    found.requests += 1;
    found.max_ns = Math.max(found.max_ns, length);
    if (cut === 0) {
      found.lengths.push([length, is]);
    }
  }
  return all.filter(each => each.requests > 0).map(each => {
    const [p50, p95, p99] = quantiles(each.lengths, [0.5, 0.95, 0.99]);
    return {...each.row, requests: each.requests, begun: each.lengths.length, p50, p95, p99, max_ns: each.max_ns, cpu_ns: null,
            await_ns: null, states_ns: null};
  });
}

function lengthText(length, begun, least) {
  return length === null || begun < least ? "–" : ["", "> ", "< "][length[1]] + costText(length[0], "ns");
}
