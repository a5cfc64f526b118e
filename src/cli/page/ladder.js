// The ladder: one life line per node, time running down, datagrams as arrows that slope from their
// sending to their arrival. Only what is in sight is drawn.

/** With more lines than this in sight there are no words, and no arrow heads. */
const WORDS_MAX = 500;
/** No browser scrolls further than this, in pixels. */
const TALL_MAX = 8e6;
const HEAD = 40;
const GUTTER = 80;

const ladder = {
  zoom: 1,
  all: strokes(),
  inSight: [],
  laneOf: [],
  picture: svg("svg", { class: "picture" }),
};

function setUpLadder() {
  const weight = weights();
  ladder.lines = weight.lines;
  ladder.byRows = placesByRows(weight);
  const length = ladder.byRows.at(-1) ?? 0;
  ladder.byTime = run.first < run.ticks.length ? placesByTime(length) : ladder.byRows;
  ladder.places = ladder.byRows;
  run.lanes.forEach((node, lane) => {
    ladder.laneOf[node] = lane;
  });
  byId("ladder-tall").append(ladder.picture);
  setUpLadderControls();
  setUpLadderPointer();
  ladderLegend();
  drawWhenShown("ladder", drawLadder, "tick", "datagram");
  follow("datagram", showDetails);
}

/** The length of the whole at this zoom, in pixels. */
const ladderLength = () => Math.min(TALL_MAX, (ladder.places.at(-1) ?? 0) * ladder.zoom + HEAD + 60);

/** What the screen shows, in pixels from the top of the whole, and where things are on it. */
function ladderFrame() {
  const scroll = byId("ladder-scroll");
  const [width, height] = [Math.max(scroll.clientWidth, run.nodes.length * 120), scroll.clientHeight];
  const margin = GUTTER + 110;
  const right = run.lanes.length > 1 ? 130 : width - margin;
  const step = (width - margin - right) / Math.max(1, run.lanes.length - 1);
  const top = scroll.scrollTop;
  return {
    width,
    height,
    x: (node) => margin + ladder.laneOf[node] * step,
    y: (tick) => HEAD + 10 + ladder.places[tick] * ladder.zoom - top,
  };
}

function drawLadder() {
  byId("ladder-tall").style.height = `${ladderLength()}px`;
  const frame = ladderFrame();
  const { width, height, x, y } = frame;
  fill(ladder.picture, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
  byId("ladder-tall").style.width = `${width}px`;
  const bottom = HEAD + 10 + (ladder.places.at(-1) ?? 0) * ladder.zoom - byId("ladder-scroll").scrollTop;
  ladder.inSight = [];
  for (const stroke of ladder.all) {
    const ends = strokeEnds(stroke, x, y, bottom + 20);
    if (Math.max(ends[1], ends[3]) > HEAD - 20 && Math.min(ends[1], ends[3]) < height + 20)
      ladder.inSight.push({ stroke, ends });
  }
  const words = ladder.inSight.length <= WORDS_MAX;
  const taken = [];
  const events = drawEvents(frame, taken);
  ladder.picture.replaceChildren(
    drawTimes(frame),
    drawNow(frame),
    drawLifeLines(frame),
    drawOffTimes(frame),
    words ? drawStrokes() : drawManyStrokes(),
    words ? drawWords(frame, taken) : svg("g"),
    events,
    drawFindings(frame),
    drawChosen(),
    drawLadderHead(frame),
  );
}
