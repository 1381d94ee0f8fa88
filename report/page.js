"use strict";
// Values under the pointer: charts carry theirs in data-xs and data-ys of their lines.
const tip = document.getElementById("tip"), ns = "http://www.w3.org/2000/svg";
const number = v => Math.abs(v) >= 1000 ? Math.round(v).toLocaleString("en-US") : String(Number(v));

function nearest(xs, x) {
  let low = 0, high = xs.length - 1;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (xs[mid] < x) low = mid + 1; else high = mid;
  }
  return low > 0 && x - xs[low - 1] < xs[low] - x ? low - 1 : low;
}

function linesOf(svg) {
  return svg.lines ??= [...svg.querySelectorAll("path[data-xs]")].map(path => ({
    name: path.dataset.name, color: getComputedStyle(path).stroke, cls: path.classList[1],
    xs: path.dataset.xs.split(",").map(Number), ys: path.dataset.ys.split(","),
    at: path.getAttribute("d").slice(1).split("L").map(p => p.split(" ")),
  }));
}

function cross(svg, x) {
  const group = svg.querySelector(".cross");
  group.replaceChildren();
  const found = [];
  for (const line of linesOf(svg)) {
    const i = nearest(line.xs, x), [px, py] = line.at[i];
    if (!found.length) {
      const rule = document.createElementNS(ns, "path");
      rule.setAttribute("d", `M${px} 10V190`);
      group.append(rule);
    }
    const dot = document.createElementNS(ns, "circle");
    for (const [k, v] of Object.entries({ cx: px, cy: py, r: 3.5, class: line.cls })) dot.setAttribute(k, v);
    group.append(dot);
    found.push({ line, i });
  }
  return found;
}

function point(e) {
  const svg = e.target.closest?.(".chart svg");
  if (!svg) return clear();
  const box = svg.getBoundingClientRect(), [x0, x1, w, l, r] = ["x0", "x1", "w", "l", "r"].map(k => +svg.dataset[k]);
  const x = x0 + ((e.clientX - box.left) / box.width * w - l) / (r - l) * (x1 - x0);
  for (const other of document.querySelectorAll(".charts svg")) if (other !== svg && svg.closest(".charts")) cross(other, x);
  const found = cross(svg, x);
  if (!found.length) return clear();
  tip.replaceChildren();
  const head = document.createElement("div");
  head.textContent = `${svg.dataset.axis} ${number(found[0].line.xs[found[0].i])}`;
  tip.append(head);
  for (const { line, i } of found) {
    const row = document.createElement("div"), swatch = document.createElement("i"), value = document.createElement("b");
    swatch.style.setProperty("--c", line.color);
    value.textContent = number(line.ys[i]) + (svg.dataset.unit ? " " + svg.dataset.unit : "");
    row.append(swatch, line.name ? line.name + " " : "", value);
    tip.append(row);
  }
  tip.hidden = false;
  const left = e.pageX + 14 + tip.offsetWidth > document.documentElement.clientWidth ? e.pageX - tip.offsetWidth - 14 : e.pageX + 14;
  tip.style.left = Math.max(4, left) + "px";
  tip.style.top = e.pageY + 14 + "px";
}

function clear() {
  if (tip.hidden) return;
  tip.hidden = true;
  for (const group of document.querySelectorAll(".cross")) group.replaceChildren();
}
document.addEventListener("pointermove", point);
document.addEventListener("pointerdown", point);
document.documentElement.addEventListener("pointerleave", clear);

// The map's switches.
for (const button of document.querySelectorAll(".switches button")) button.addEventListener("click", () => {
  const card = button.closest(".card"), map = card.querySelector(".map");
  for (const other of button.parentElement.children) other.setAttribute("aria-pressed", other === button);
  const pressed = [...card.querySelectorAll("[aria-pressed=true]")].map(b => b.dataset);
  map.dataset.at = pressed.find(d => d.kind).kind + pressed.find(d => d.stage).stage;
});

// replace puts new content in place; what was unfolded stays so.
function replace(element, html) {
  const open = [...element.querySelectorAll("details[open] summary")].map(s => s.textContent);
  element.innerHTML = html;
  for (const s of element.querySelectorAll("summary")) if (open.includes(s.textContent)) s.parentElement.open = true;
}

// While a training goes on: ask for what is new. The server answers when there is something.
async function follow() {
  const say = text => document.querySelector(".live span").textContent = text;
  let version = 0, failures = 0;
  for (;;) {
    if (document.hidden) await new Promise(r => document.addEventListener("visibilitychange", r, { once: true }));
    try {
      const answer = await fetch("update?since=" + version, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const news = await answer.json();
      failures = 0, version = news.version;
      for (const [id, html] of Object.entries(news.parts ?? {})) replace(document.getElementById(id), html);
      if (news.parts?.charts) clear();
      if (news.title) document.title = news.title;
      say("live");
      if (news.final) { say("ended; pictures are in report.html in the run's folder"); break; }
    } catch {
      if (++failures > 3) { say("ended"); break; }
      say("waiting");
      await new Promise(r => setTimeout(r, 1000));
    }
  }
  document.body.classList.add("ended");
}
if ("live" in document.body.dataset) follow();
