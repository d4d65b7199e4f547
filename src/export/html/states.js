// What threads did over time: samples by state, and below them when an event loop was held.

const STATES = [ // as ThreadState; of those that count in a wall profile
  {name: "on a CPU", color: "--state-running"},
  {name: "waiting for a CPU", color: "--state-runnable"},
  {name: "waiting for the GIL", color: "--state-gil"},
  {name: "blocked in a call", color: "--state-blocked"},
  {name: "idle", color: "--line"}
];
const STATES_HEIGHT = 48;
const HOLDS_HEIGHT = 12;

class StateGraph extends TimeGraph {
  /// `states`: for each bin, samples by state; `holds`: [{from, to, state}] in nanoseconds.
  constructor(canvas, onSelect, {states, holds, binTime}) {
    super(canvas, onSelect);
    this.states = states;
    this.holds = holds;
    this.binTime = binTime;
    this.most = Math.max(1, ...states.map(bin => bin.reduce((a, b) => a + b, 0)));
  }

  draw() {
    const width = this.canvas.clientWidth;
    const context = scaledContext(this.canvas, STATES_HEIGHT + (this.holds.length > 0 ? HOLDS_HEIGHT : 0));
    const style = getComputedStyle(document.documentElement);
    this.states.forEach((bin, number) => {
      const [left, breadth] = this.bar(number, width);
      context.globalAlpha = this.isSelected(number) ? 1 : 0.3;
      let top = STATES_HEIGHT;
      bin.forEach((samples, state) => {
        const high = samples / this.most * (STATES_HEIGHT - 4);
        top -= high;
        context.fillStyle = style.getPropertyValue(STATES[state].color);
        context.fillRect(left, top, breadth, high);
      });
    });
    context.globalAlpha = 1;
    const scale = width / (this.bins * this.binTime);
    for (const hold of this.holds) {
      context.fillStyle = style.getPropertyValue(STATES[hold.state].color);
      context.fillRect(hold.from * scale, STATES_HEIGHT + 3, Math.max(2, (hold.to - hold.from) * scale), HOLDS_HEIGHT - 4);
    }
  }

  /// What threads did in the selected bins: [{state, samples}], without states that have none.
  sums() {
    const sums = STATES.map((state, number) => {
      const samples = this.states.slice(this.first, this.end).reduce((sum, bin) => sum + bin[number], 0);
      return {state, samples};
    });
    return sums.filter(each => each.samples > 0);
  }
}
