// What the modules here share of types, for whoever reads them and for `tsc` in scripts/lint. The
// browser loads none of it.

/** What Home Assistant shows of an entity. */
export interface EntityState {
  entity_id: string;
  state: string;
  attributes: Record<string, any>;
  last_changed?: string;
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
    | {
        name?: string | null;
        name_by_user?: string | null;
        via_device_id?: string | null;
        entry_type?: string | null;
      }
    | undefined
  >;
  readonly locale: {
    language: string;
    number_format: string;
    time_format?: string;
    time_zone?: string;
  };
  readonly language: string;
  readonly user?: { is_admin: boolean };
  readonly connected: boolean;
  readonly connection: {
    subscribeMessage(
      hear: (message: any) => void,
      message: { type: string; [field: string]: unknown },
    ): Promise<() => void>;
  };
  readonly config: { components: string[]; time_zone?: string; language?: string };
  callWS<Answer>(message: { type: string; [field: string]: unknown }): Promise<Answer>;
  callService(
    domain: string,
    service: string,
    data: object,
    target: undefined,
    notifyOnError: boolean,
    returnResponse?: boolean,
  ): Promise<{ response?: any }>;
  formatEntityState(state: EntityState, value?: string): string;
  formatEntityAttributeValue(state: EntityState, attribute: string): string;
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
  /** Which way leads to the BMS; a bank is none, and looks like a battery to what shows one. */
  way: "serial" | "wifi" | "bank";
  devices: Record<string, number>;
  entities: Partial<Record<string, string>>;
}

/** Several batteries that are wired together; `members` are their entries. */
export interface Bank extends Omit<Battery, "way"> {
  wiring: "parallel" | "series";
  members: string[];
}

/** Settings are in the order of the BMS's instructions. */
export interface Layout {
  batteries: Battery[];
  banks: Bank[];
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

/** What the integration knows of a BMS's settings, beside their entities; see websocket.py. */
export interface SettingsKnown {
  settings: Record<string, KnownSetting | undefined>;
  chemistry: string | null;
  may_change: boolean;
  reason: string | null;
}

/** `factory` is as the entity shows values. */
export interface KnownSetting {
  code: string;
  factory: number | string | null;
}

/** A change of one setting; values as its entity shows them. */
export interface Step {
  key: string;
  from: number | string | null;
  to: number | string;
}

/** What is wrong with a change, in words, and with what the user's language can say so. */
export interface Problem {
  key: string;
  message: string;
  translation_domain?: string | null;
  translation_key?: string | null;
  translation_placeholders?: Record<string, string> | null;
}

/** Steps are in the order in which they can be sent. */
export interface Review {
  steps: Step[];
  problems: Problem[];
}

/** As its entity shows values; numbers in the line's unit where it has none that could be set. */
export interface Change {
  old: number | string | null;
  new: number | string | null;
  unit: string | null;
}

/** Settings as they were at a time, and what changed then, by key. */
export interface Backup {
  name: string | null;
  time: string;
  reason: "first" | "home_assistant" | "elsewhere" | "named";
  user: string | null;
  changes: Record<string, Change>;
}

/** By code, values in the line's unit. */
export interface Comparison {
  differences: Record<
    string,
    { name: string; unit: string | null; backup: number; current: number | null }
  >;
  missing: string[];
}

export interface Restored {
  previous: number | null;
  set: number;
  get: number | null;
  success: boolean;
}

/** What the settings card can be told. */
export interface SettingsConfig {
  type: string;
  device?: string;
  entity?: string;
  /** What the battery is called, where there are several. */
  title?: string;
}

/** What a health card can be told. */
export interface HealthConfig {
  type: string;
  device?: string;
  entity?: string;
  /** The diagnosis, or the part of the page that it says the basis of. */
  about: string;
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

/** What the makers of a bank's views share; `battery` is the bank as one. */
export interface BankContext extends Context {
  bank: Bank;
  /** Those of its batteries that can be seen. */
  members: Context[];
}
