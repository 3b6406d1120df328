// What the build turns <a>…</a> into: shorter than the calls of preact/jsx-runtime.
export { Fragment, h } from "preact";
