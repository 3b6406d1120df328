// Verdicts told apart by shape: a circle with a check, a triangle with a question, an octagon with a cross.
function svg(tag, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const SHAPES = { trusted: "M12 1a11 11 0 1 0 0 22a11 11 0 1 0 0-22z", doubtful: "M12 1.2 23.6 22.2 0.4 22.2z",
  refuted: "M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4z" };
const SIGNS = { trusted: "M7 12.4l3.4 3.4L17 9", doubtful: "M9.9 11.4q0-2.3 2.1-2.3t2.1 2q0 1.6-2.1 2.6v1.2M12 18.4v.1",
  refuted: "M8.2 8.2l7.6 7.6M15.8 8.2l-7.6 7.6" };

function icon(label) {
  const picture = svg("svg", { viewBox: "0 0 24 24", class: `icon ${label}`, "aria-hidden": "true" });
  picture.append(svg("path", { d: SHAPES[label], class: "shape" }), svg("path", { d: SIGNS[label], class: "sign" }));
  return picture;
}
