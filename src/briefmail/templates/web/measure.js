"use strict";
const frame = document.querySelector("iframe");
const measure = () => {
  const page = frame.contentDocument;
  if (page && page.readyState === "complete" && page.body && page.body.childElementCount) {
    document.title = Math.max(page.documentElement.scrollHeight, page.body.scrollHeight);
  } else {
    setTimeout(measure, 20);
  }
};
measure();
