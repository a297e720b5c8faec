// The keys of the editor. Ctrl (on a Mac also ⌘) with a key, also inside a text: Alt and AltGr type letters.

/** Action → the key as `KeyboardEvent.key`, and as people read it. The order is that of the help. */
export const KEYS = {
  play: [" ", "Ctrl + Space"],
  loop: ["l", "Ctrl + L"],
  slower: [",", "Ctrl + ,"],
  faster: [".", "Ctrl + ."],
  done: ["Enter", "Ctrl + Enter"],
  unsure: ["u", "Ctrl + U"],
  next: ["ArrowDown", "Ctrl + ↓"],
  previous: ["ArrowUp", "Ctrl + ↑"],
  split: ["b", "Ctrl + B"],
  join: ["j", "Ctrl + J"],
  insert: ["i", "Ctrl + I"],
  remove: ["d", "Ctrl + D"],
  undo: ["z", "Ctrl + Z"],
  redo: ["y", "Ctrl + Y"],
  help: ["F1", "F1"],
};

const ACTIONS = new Map(Object.entries(KEYS).map(([action, [key]]) => [key, action]));

/**
 * Return the action of a key, or undefined.
 * @param {KeyboardEvent} event
 */
export function actionOf(event) {
  if (event.key === "F1") return "help";
  // AltGr is Ctrl + Alt on Windows.
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing) return undefined;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.shiftKey) return key === "z" ? "redo" : undefined;
  return ACTIONS.get(key);
}
