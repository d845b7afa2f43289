// What the modules here share of types, for whoever reads them and for `tsc` in scripts/lint. The
// browser loads none of it.

/** What Home Assistant shows of an entity. */
export interface EntityState {
  entity_id: string;
  state: string;
  attributes: Record<string, any>;
}

export type Localize = (key: string, values?: Record<string, string>) => string;

/** Of the object that Home Assistant gives to cards and strategies, what is used here. */
export interface Hass {
  readonly states: Partial<Record<string, EntityState>>;
  readonly entities?: Record<
    string,
    { platform?: string; device_id?: string | null; hidden?: boolean } | undefined
  >;
  readonly devices?: Record<
    string,
    { name?: string | null; name_by_user?: string | null; via_device_id?: string | null } | undefined
  >;
  readonly locale: { language: string; number_format: string };
  readonly language: string;
  readonly user?: { is_admin: boolean };
  readonly connected: boolean;
  readonly connection: object;
  readonly config: { components: string[] };
  callWS<Answer>(message: { type: string; [field: string]: unknown }): Promise<Answer>;
  formatEntityState(state: EntityState): string;
  formatEntityName?(state: EntityState | undefined, name: { type: "entity" }): string;
  /** Undefined where the page's translations cannot be had. */
  loadFragmentTranslation(fragment: string): Promise<Localize | undefined>;
  loadBackendTranslation(category: string, integration: string): Promise<Localize>;
}

/** Turns a key such as "card.title" into text. */
export type Say = (key: string, values?: Record<string, string | number>) => string;

/** One BMS: which device stands for which unit, and the entity of each key, as cell_voltage_1_8. */
export interface Battery {
  entry_id: string;
  title: string;
  /** Which way leads to the BMS. */
  way: "serial" | "wifi";
  devices: Record<string, number>;
  entities: Partial<Record<string, string>>;
}

/** Settings are in the order of the BMS's instructions. */
export interface Layout {
  batteries: Battery[];
  settings: { category: string; keys: string[] }[];
}

export interface Cell {
  /** Names it on the card. */
  readonly id: string;
  readonly unit: number;
  readonly number: number;
  readonly entityId: string;
  readonly resistanceId: string | undefined;
  volts: number | undefined;
  /** Whether the BMS balances it now, as far as is known. */
  balancing: boolean;
}

export interface Unit {
  readonly number: number;
  readonly cells: Cell[];
  readonly temperatureIds: string[];
}

/** A cell whose voltage is known. */
export type KnownCell = Cell & { volts: number };

/** A setting that is drawn as a line. */
export interface Limit {
  readonly key: string;
  readonly entityId: string;
  readonly volts: number;
}

/** The scale that all cells of a card share, in V. */
export interface Scale {
  readonly low: number;
  readonly high: number;
}

/** What a cells card can be told; `assertConfig` has made sure of it. */
export interface CellsConfig {
  type: string;
  device?: string;
  entity?: string;
  title?: string;
  units?: number[];
  scale?: "limits" | "cells";
  show_limits?: boolean;
  show_resistance?: boolean;
  show_temperature?: boolean;
}

/** A card, a section or a view of the dashboard, as Home Assistant reads it. */
export interface Part {
  [option: string]: any;
}

export interface Section {
  type: string;
  cards: Part[];
  column_span: number;
  visibility?: Part[];
}

/** With the integration's own texts, once they are loaded. */
export type HassWithTexts = Hass & {
  readonly localize: Localize;
  /** Home Assistant's own words for its pages. */
  readonly ui: Localize;
  /** The entities of which it has statistics of the last month. */
  readonly withStatistics: Set<string>;
};

/** What the makers of views share. */
export interface Context {
  battery: Battery;
  hass: HassWithTexts;
  say: Say;
  settings: Layout["settings"];
  /** Whether there are other batteries. */
  several: boolean;
  /** Of the paths of this battery's views. */
  prefix: string;
}
