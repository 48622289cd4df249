// nodemailer with a pool of connections that are kept open, fed as fast as it asks.
//
// nodemailer_pool.cjs FOLDER PORT CONNECTIONS: text.txt, page.html and list.csv are in FOLDER. The
// page's styles are inlined already; its {{ fields }} are filled for each person.

const fs = require("node:fs");
const path = require("node:path");
const nodemailer = require("nodemailer");

const [folder, port, connections] = process.argv.slice(2);
const read = (name) => fs.readFileSync(path.join(folder, name), "utf8");
const [text, page] = [read("text.txt"), read("page.html")];
const [header, ...rows] = read("list.csv").trim().split(/\r?\n/).map((line) => line.split(","));
let next = 0;

const pool = nodemailer.createTransport({
  pool: true,
  host: "127.0.0.1",
  port: Number(port),
  ignoreTLS: true,
  maxConnections: Number(connections),
  maxMessages: Infinity,
});

function fill(template, person) {
  return header.reduce((made, name) => made.replaceAll(`{{ ${name} }}`, person[name]), template);
}

function message(person) {
  return {
    from: "Benchmark <news@example.org>",
    to: `${person.first_name} Benchmark <${person.email}>`,
    subject: "A benchmark",
    headers: { "List-Unsubscribe": `<https://example.org/leave?t=${person.token}>` },
    text: fill(text, person),
    html: fill(page, person),
  };
}

async function send(person) {
  try {
    await pool.sendMail(message(person));
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  if (--unsent === 0) pool.close();
}

let unsent = rows.length;

pool.on("idle", () => {
  while (pool.isIdle() && next < rows.length) {
    const row = rows[next++];
    send(Object.fromEntries(header.map((name, column) => [name, row[column]])));
  }
});
