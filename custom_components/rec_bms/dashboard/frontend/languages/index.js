// @ts-check
import de from "./de.js";
import en from "./en.js";
import es from "./es.js";
import fr from "./fr.js";
import it from "./it.js";
import nl from "./nl.js";
import sl from "./sl.js";

/**
 * The languages there are. To add one, put a translated copy of en.js beside it, import it above
 * and name it here by its code in Home Assistant. What it leaves out is shown in English.
 * @type {Record<string, any>}
 */
export const LANGUAGES = { de, en, es, fr, it, nl, sl };
