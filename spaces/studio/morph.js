// Change elements of the page into those of new HTML, keeping every one that is in both. By hand: idiomorph 0.7, the
// usual library, would overwrite what was typed into a field as soon as the server sends another value for it.

const ELEMENT = 1;

/**
 * Give an element the children that a piece of HTML describes.
 *
 * An element stays the same one if the HTML has one of its id, or one that holds elements of the same ids: so fields
 * keep what is typed, focus and cursor, `<details>` stay folded or not, and frames are not loaded again. Custom elements
 * and those with `data-own` fill themselves: only their attributes change.
 *
 * @param {Element} element
 * @param {string} html
 * @param {(field: HTMLElement) => boolean} isFree whether a field may show what the server says
 */
export function morph(element, html, isFree) {
  const template = document.createElement("template");
  template.innerHTML = html;
  children(element, template.content, isFree);
}

function children(parent, wanted, isFree) {
  const olds = new Set(parent.childNodes);
  const pairs = [...wanted.childNodes].map((now) => {
    const before = now.nodeType === ELEMENT ? partner(parent, now, olds) : undefined;
    if (before) olds.delete(before);
    return [now, before];
  });
  for (const pair of pairs) {
    pair[1] ??= [...olds].find((old) => isAlike(old, pair[0]));
    olds.delete(pair[1]);
  }
  for (const old of olds) old.remove();
  // What is moved loses the focus: the others are put around the child that has it.
  const still = pairs.findIndex(([, before]) => before?.contains(document.activeElement));
  const anchor = pairs[still]?.[1] ?? null;
  place(parent, pairs.slice(0, Math.max(0, still)), parent.firstChild, anchor);
  place(parent, pairs.slice(still + 1), anchor ? anchor.nextSibling : parent.firstChild);
  for (const [now, before] of pairs) if (before) change(before, now, isFree);
}

/** Put nodes one after the other, from where `next` stands; those that are in their place are not moved, nor is `end`. */
function place(parent, pairs, next, end) {
  for (const [now, before] of pairs) {
    if (before && before === next && next !== end) next = next.nextSibling;
    else parent.insertBefore(before ?? now, next);
  }
}

/** Return the child of `parent` that is to become `now`, by an id that both have or hold. */
function partner(parent, now, free) {
  const named = now.id ? [now] : now.querySelectorAll("[id]");
  for (const { id } of named) {
    let old = document.getElementById(id);
    while (old && old.parentNode !== parent) old = old.parentNode;
    if (old && free.has(old) && old.tagName === now.tagName && (!old.id || old.id === now.id)) return old;
  }
  return undefined;
}

/** Return whether a node without a partner may become another: of one kind, without an id that tells it from others. */
function isAlike(old, now) {
  if (old.nodeType !== now.nodeType) return false;
  if (now.nodeType !== ELEMENT) return true;
  const same = ["class", "role"].every((name) => old.getAttribute(name) === now.getAttribute(name));
  return same && old.tagName === now.tagName && !old.id && !now.id;
}

function change(old, now, isFree) {
  if (old.nodeType !== ELEMENT) {
    if (old.nodeValue !== now.nodeValue) old.nodeValue = now.nodeValue;
    return;
  }
  const given = now.getAttribute("value");
  const isChanged = old.getAttribute("value") !== given;
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && !isOwn(old, name)) old.removeAttribute(name);
  for (const { name, value } of now.attributes) {
    if (old.getAttribute(name) !== value && !isOwn(old, name)) old.setAttribute(name, value);
  }
  if (!("own" in old.dataset) && !old.localName.includes("-")) children(old, now, isFree);
  if (/^(input|select)$/.test(old.localName) && isFree(old)) show(old, given ?? "", isChanged);
}

/** Return whether an attribute is the page's own: whether `<details>` are open. */
const isOwn = (element, name) => name === "open" && element.localName === "details";

/** Let a field show its state at the server: what was refused there is not shown as if it held. */
function show(field, given, isChanged) {
  if (field.localName === "select") {
    for (const option of field.options) option.selected = option.hasAttribute("selected");
  } else if (field.type === "text") {
    if (isChanged || field.dataset.change) field.value = given;
  } else field.checked = field.hasAttribute("checked");
}
