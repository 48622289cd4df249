"use strict";
const $ = selector => document.querySelector(selector);
const all = selector => [...document.querySelectorAll(selector)];
const EVERY = 200; // milliseconds between two looks at the desk

let version = -1;     // of the layout that is shown
let reader = null;    // the key of the person whose copy it is
let layout = null;
let asked = 0;        // a slow answer must not overtake a later one

function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

async function get(path, parameters = {}) {
  const answer = await fetch(`${path}?${new URLSearchParams(parameters)}`);
  const data = await answer.json();
  if (!answer.ok) throw new Error(data.error);
  return data;
}

// --- the mail -------------------------------------------------------------------------------

const chosen = name => $(`input[name=${name}]:checked`).value;

function showMail() {
  const frame = $("#mail iframe");
  const at = frame.contentWindow ? frame.contentWindow.scrollY : 0;
  const parameters = new URLSearchParams({
    scheme: chosen("scheme"), pictures: $("#pictures").checked ? "on" : "off", version,
  });
  if (reader) parameters.set("as", reader);
  frame.style.width = `${Number(chosen("width")) + 2}px`;
  frame.onload = () => {
    frame.contentWindow.scrollTo(0, at);
    // The mail cannot run scripts, and nothing in it is to lead away from here.
    frame.contentDocument.addEventListener("click", event => {
      const link = event.target.closest("a[href]");
      if (link) { event.preventDefault(); say(`The link leads to ${link.getAttribute("href")}`); }
    });
  };
  frame.contentWindow.location.replace(`mail?${parameters}`);
}

async function showCopy() {
  const turn = ++asked;
  try {
    const copy = await get("copy", reader ? {as: reader} : {});
    if (turn !== asked) return;
    $("#text pre").textContent = copy.text;
    $("#raw pre").textContent = copy.raw;
    showInbox(copy);
    showSize(copy);
    if (!reader) reader = copy.person.key;
    mark();
  } catch (error) {
    if (turn === asked) say(error.message);
  }
}

function showSize(copy) {
  const meter = $("#size");
  Object.assign(meter, {max: layout.clipped * 1.2, high: layout.clipped * 0.88, low: layout.clipped * 0.88,
    optimum: 0, value: copy.html_size});
  const kilobytes = size => (size / 1000).toFixed(1);
  $("#size-text").textContent = `${kilobytes(copy.html_size)} of ${kilobytes(layout.clipped)} kB, ` +
    `${kilobytes(copy.size)} kB in all`;
}

function showInbox(copy) {
  const headers = Object.fromEntries(copy.headers);
  const sender = (headers.From || "").replace(/\s*<.*>$/, "").replace(/^"|"$/g, "");
  const subject = headers.Subject || "";
  const panel = $("#inbox");
  const gmail = make("div", undefined, {class: "row gmail"});
  const line = make("span");
  line.append(make("b", subject), make("span", ` – ${copy.preheader}`, {class: "rest"}));
  gmail.append(make("b", sender), line);
  const phone = (name, kind) => {
    const row = make("div", undefined, {class: `row phone ${kind}`});
    row.append(make("b", sender), make("span", subject), make("span", copy.preheader, {class: "rest"}));
    return [make("h2", name), row];
  };
  const table = make("table");
  for (const [name, value] of copy.headers) {
    const row = make("tr");
    row.append(make("th", name, {scope: "row"}), make("td", value));
    table.append(row);
  }
  panel.replaceChildren(make("h2", "Gmail in a browser"), gmail, ...phone("Gmail on a phone", ""),
    ...phone("Apple Mail on an iPhone", "apple"), make("h2", "Headers"), table);
}

// --- the list -------------------------------------------------------------------------------

async function showPeople() {
  const people = await get("people", {words: $("#search").value});
  $("#readers").replaceChildren(...people.map(person => {
    const item = make("li", person.name || person.address, {role: "option", "data-key": person.key,
      id: `reader-${person.key}`, "aria-selected": "false"});
    if (person.name) item.append(make("small", person.address));
    item.addEventListener("click", () => choose(person.key));
    return item;
  }));
  mark();
}

function mark() {
  for (const item of all("#readers li")) {
    const here = item.dataset.key === reader;
    item.setAttribute("aria-selected", here);
    if (here) {
      $("#readers").setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({block: "nearest"});
    }
  }
}

function choose(key) {
  reader = key;
  mark();
  showMail();
  showCopy();
}

function step(by) {
  const items = all("#readers li");
  const at = items.findIndex(item => item.dataset.key === reader);
  const next = items[Math.min(items.length - 1, Math.max(0, at + by))];
  if (next) choose(next.dataset.key);
}

// --- findings, problems, source -------------------------------------------------------------

function say(text) { $("#status").textContent = text; }

function showSource() {
  const worst = {};
  for (const finding of layout.checked ? layout.checked.findings : []) {
    if (finding.line && worst[finding.line] !== "error") worst[finding.line] = finding.severity;
  }
  for (const problem of layout.problems) if (problem.line) worst[problem.line] = "error";
  $("#source ol").replaceChildren(...layout.source.split("\n").map((line, index) =>
    make("li", line, worst[index + 1] ? {class: worst[index + 1]} : {})));
}

function jump(line) {
  select($("#tab-source"));
  const item = all("#source li")[line - 1];
  for (const other of all("#source li.here")) other.classList.remove("here");
  if (!item) return;
  item.classList.add("here");
  item.scrollIntoView({block: "center"});
}

function showProblems() {
  $("#problems").hidden = layout.problems.length === 0;
  $("#stale").hidden = !layout.stale;
  $("#problems ul").replaceChildren(...layout.problems.map(problem => {
    const item = make("li", `${problem.place}: ${problem.text} `);
    if (problem.line) {
      const button = make("button", "show");
      button.addEventListener("click", () => jump(problem.line));
      item.append(button);
    }
    return item;
  }));
}

function showFindings() {
  const checked = layout.checked;
  if (!checked) {
    $("#verdict").textContent = layout.problems.length ? "Not checked." : "Checking …";
    return;
  }
  const found = checked.findings.length;
  const silenced = checked.silenced ? ` ${checked.silenced} silenced.` : "";
  $("#verdict").textContent = (found ? `${found} found.` : "Nothing is wrong.") + silenced;
  $("#findings").replaceChildren(...checked.findings.map(finding => {
    const item = make("li");
    const button = make("button");
    button.append(make("span", `${finding.severity}: `, {class: `kind ${finding.severity}`}), finding.text,
      make("span", finding.cure, {class: "cure"}), make("span", `${finding.place} [${finding.rule}]`, {class: "place"}));
    if (finding.line) button.addEventListener("click", () => jump(finding.line));
    else button.disabled = true;
    item.append(button);
    return item;
  }));
  showWorst(checked);
}

function showWorst(checked) {
  const people = checked.lacking.map(person => ["lacks a field", person]);
  if (checked.largest) people.unshift(["largest", checked.largest]);
  $("#worst").hidden = people.length === 0;
  $("#worst ul").replaceChildren(...people.map(([why, person]) => {
    const item = make("li");
    const button = make("button", `${person.name || person.address} (${why})`);
    button.addEventListener("click", () => choose(person.key));
    item.append(button);
    return item;
  }));
}

// --- tabs -----------------------------------------------------------------------------------

function select(tab) {
  for (const other of all("[role=tab]")) {
    const here = other === tab;
    other.setAttribute("aria-selected", here);
    other.tabIndex = here ? 0 : -1;
    $(`#${other.getAttribute("aria-controls")}`).hidden = !here;
  }
}

// --- the turn of things ---------------------------------------------------------------------

async function look() {
  try {
    const found = await get("state", {version});
    if (found.version !== version) {
      const first = version < 0;
      const text = layout && layout.source;
      layout = found;
      version = found.version;
      showProblems();
      showFindings();
      showSource();
      if (!found.ready) say("There is nothing to show yet.");
      else if (first || !found.checked || text !== found.source) {
        showMail();
        showCopy();
        showPeople();
        say(found.problems.length ? "An older version is shown." : "As it is on disk.");
      }
    }
    setTimeout(look, EVERY);
  } catch (error) {
    say("The preview has ended; start it again with “briefmail preview --browser”.");
    setTimeout(look, 10 * EVERY);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const tabs = all("[role=tab]");
  for (const tab of tabs) {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", event => {
      const by = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (!by) return;
      const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length];
      select(next);
      next.focus();
    });
  }
  for (const input of all("input[name=width], input[name=scheme], #pictures")) {
    input.addEventListener("change", showMail);
  }
  $("#search").addEventListener("input", showPeople);
  for (const place of [$("#search"), $("#readers")]) {
    place.addEventListener("keydown", event => {
      const by = {ArrowDown: 1, ArrowUp: -1}[event.key];
      if (by) { event.preventDefault(); step(by); }
    });
  }
  $("#test").addEventListener("submit", async event => {
    event.preventDefault();
    const said = $("#test p");
    said.textContent = "Sending …";
    const body = JSON.stringify({to: $("#to").value, as: reader});
    try {
      const answer = await fetch("test", {method: "POST", headers: {"Content-Type": "application/json"}, body});
      const data = await answer.json();
      said.textContent = data.text || data.error;
    } catch (error) {
      said.textContent = error.message;
    }
  });
  look();
});
