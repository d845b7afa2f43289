// @ts-check
/** @import { Scale } from "./types.d.ts" */

/** So much of the scale is left free above the highest and below the lowest thing on it. */
const MARGIN = 0.06;
/** Cells closer together than this are not torn further apart, in V. */
const NARROWEST = 0.02;

/**
 * @param {"limits" | "cells"} kind from cut-off to cut-off, or from the lowest to the highest cell
 * @param {number[]} cells volts
 * @param {number[]} limits volts
 * @returns {Scale}
 */
export function scaleFor(kind, cells, limits) {
  const shown = kind === "limits" && limits.length ? [...cells, ...limits] : cells;
  const lowest = Math.min(...shown);
  const highest = Math.max(...shown);
  if (shown === cells) {
    const room = Math.max(NARROWEST, highest - lowest) * 0.5;
    return { low: lowest - room, high: highest + room };
  }
  const room = Math.max(NARROWEST, highest - lowest) * MARGIN;
  return { low: lowest - room, high: highest + room };
}

/**
 * Where volts are on a scale: 0 at its bottom, 1 at its top.
 * @param {Scale} scale
 * @param {number} volts
 */
export function placeOn(scale, volts) {
  return (volts - scale.low) / (scale.high - scale.low);
}

/** @param {number} place */
export function isOnScale(place) {
  return place >= 0 && place <= 1;
}

/**
 * Moves labels apart that would cover each other, as little as possible.
 * @param {number[]} places of labels from 0 to 1
 * @param {number} gap that two labels need
 * @returns {number[]}
 */
export function spreadApart(places, gap) {
  const order = places.map((_, index) => index).sort((one, other) => places[one] - places[other]);
  const moved = [...places];
  for (let turn = 0; turn < order.length; turn += 1) {
    for (let index = 1; index < order.length; index += 1) {
      const overlap = gap - (moved[order[index]] - moved[order[index - 1]]);
      if (overlap <= 1e-9) continue;
      moved[order[index - 1]] -= overlap / 2;
      moved[order[index]] += overlap / 2;
    }
  }
  return moved;
}
