// Notes when the page begins to answer the reader, and when the last thing of the answer is on screen.
//
// A change is: a node, a text, a path or a place within a drawn chart; a node or a text elsewhere in the page's main part or
// in a table (its shadow root); an element that turns stale or fresh. The row of filters itself is left out: its list closes and
// its label turns while nothing is answered yet. A change counts as painted in the first task after the frame that holds it.
// The answer is over once what the click is to turn (the address, the branch's name, the text) has turned, Streamlit's script is at
// rest, nothing is stale or waits for its chart, and QUIET ms have gone by without a change; these QUIET ms are not counted.
// Rest alone is not enough: a link to a page makes Streamlit's script run twice, and between the runs it is at rest.
(() => {
  const QUIET = 150;
  const LIMIT = 60000;
  const UNSEEN = 1000;
  const STATE = "data-test-script-state";
  const main = "[data-testid=stMain]";
  const turning = {
    address: () => location.search,
    branch: () => document.querySelector(".st-key-breadcrumb strong")?.textContent,
    text: () => document.querySelector(main)?.textContent ?? "",
  };
  let armed, began, idle, changed, painted, charts, tables, turned, before;

  const arm = (from, turns) => {
    turned = turning[turns];
    before = turned();
    [armed, began, idle, changed, painted] = [from === null, from, 0, 0, 0];
    [charts, tables] = [new Set(), new Set()];
  };
  arm(0, "text"); // a page that is being opened began with its navigation

  for (const kind of ["pointerdown", "keydown"]) {
    addEventListener(kind, (event) => { if (armed) [armed, began] = [false, event.timeStamp]; }, true);
  }

  const counts = (record) => {
    const node = record.target.nodeType === Node.ELEMENT_NODE ? record.target : record.target.parentElement;
    const root = record.target.getRootNode();
    if (root instanceof ShadowRoot) {
      if (record.type === "attributes") return false;
      tables.add(root);
      return true;
    }
    if (!node?.closest(main) || node.closest(".st-key-filters")) return false;
    const chart = node.closest("svg.marks");
    if (chart) charts.add(chart);
    else if (node.closest("[data-testid=stVegaLiteChart]")) node.querySelectorAll("svg.marks").forEach((made) => charts.add(made));
    return record.type !== "attributes" || chart !== null || record.attributeName === "data-stale"; // not a turning icon
  };

  const seen = new MutationObserver((records) => {
    for (const record of records) {
      if (record.attributeName !== STATE) continue;
      if (record.target.getAttribute(STATE) === "notRunning") idle = performance.now();
    }
    if (began === null || records.filter(counts).length === 0) return;
    changed = performance.now();
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => { painted = performance.now(); port1.close(); };
      port2.postMessage(null);
    });
  });
  // What Vega redraws has another path or another place; to note every attribute would slow down what is measured.
  const attributeFilter = [STATE, "data-stale", "d", "transform"];
  const observe = (root) => seen.observe(root, { subtree: true, childList: true, characterData: true, attributeFilter });
  observe(document);
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    observe(root);
    return root;
  };

  const waiting = () =>
    document.querySelector(`[${STATE}]`)?.getAttribute(STATE) !== "notRunning" ||
    document.querySelector(`${main} [data-stale=true], ${main} [data-testid=stSkeleton]`) !== null ||
    [...document.querySelectorAll(`${main} [data-testid=stVegaLiteChart]`)].some((box) => !box.querySelector("svg.marks"));

  window.bench = {
    arm: (turns) => arm(null, turns),
    answered: () => new Promise((resolve, reject) => {
      const asked = performance.now();
      let turnedAt = 0;
      const look = () => {
        const now = performance.now();
        if (!turnedAt && began !== null && turned() !== before) turnedAt = now;
        const seenAny = Math.max(painted, idle) > began;
        // The address may turn before Streamlit's script shows that it runs.
        const atRest = painted >= changed && now - Math.max(changed, idle) > QUIET && !waiting();
        if (turnedAt && !seenAny && atRest && now - turnedAt > UNSEEN) {
          // A page whose text does not depend on the filter: nothing of it changed, and its script was too short to be seen running.
          resolve({ ms: turnedAt - began, script: turnedAt - began, charts: 0, tables: 0 });
        } else if (turnedAt && turned() !== before && seenAny && atRest) {
          // A script as short as an empty page's is at rest again before the page shows that it runs.
          resolve({ ms: Math.max(painted, idle) - began, script: (idle || painted) - began, charts: charts.size, tables: tables.size });
        } else if (now - asked > LIMIT) {
          reject(new Error(`no answer within ${LIMIT} ms: began ${began}, turned ${turned() !== before}, waits ${waiting()}`));
        } else setTimeout(look, 20);
      };
      look();
    }),
  };
})();
