// What the cards use of Lit. scripts/vendor-lit bundles it into the file beside this one.
export { LitElement, css, html, nothing } from "lit";
export type { PropertyDeclarations, PropertyValues } from "lit";
export { guard } from "lit/directives/guard.js";
export { keyed } from "lit/directives/keyed.js";
