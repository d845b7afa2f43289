// @ts-check

/**
 * Makes an element. Text goes in as text, never as HTML: names of entities come from anywhere.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/**
 * Changes a text only when it is another one, so that an update touches little.
 * @param {Element} where
 * @param {string} text
 */
export function setText(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

/**
 * @param {Element} where
 * @param {string} name
 * @param {string | undefined} value
 */
export function setAttribute(where, name, value) {
  if (value === undefined) where.removeAttribute(name);
  else if (where.getAttribute(name) !== value) where.setAttribute(name, value);
}

/**
 * Opens Home Assistant's dialog about an entity, which shows its history.
 * @param {EventTarget} from
 * @param {string} entityId
 */
export function showMoreInfo(from, entityId) {
  from.dispatchEvent(
    new CustomEvent("hass-more-info", { bubbles: true, composed: true, detail: { entityId } }),
  );
}
