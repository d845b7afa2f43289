// @ts-check
/** @import { Say } from "../types.d.ts" */
import { html, nothing } from "../vendor/lit.js";

/**
 * What is asked once, before anything is sent.
 * @typedef {object} Question
 * @property {string} title
 * @property {string} yes what the button says
 * @property {unknown} what is about to be done
 * @property {() => void} go
 */

/**
 * The browser's own dialog keeps the focus in it, and gives it back.
 * @param {Say} say
 * @param {Question | undefined} question
 * @param {() => void} close
 */
export function confirmDialog(say, question, close) {
  const go = () => {
    close();
    question?.go();
  };
  return html`<dialog aria-labelledby="question" aria-describedby="warning" @close=${close}>
    ${question === undefined
      ? nothing
      : html`<h2 id="question">${question.title}</h2>
          <p id="warning">${say("settings.warning")}</p>
          ${question.what}
          <div class="buttons">
            <button autofocus @click=${close}>${say("settings.cancel")}</button>
            <button class="main" @click=${go}>${question.yes}</button>
          </div>`}
  </dialog>`;
}
