//# Unreadable
/** A value of the event that is not what the policy declares. */
class Unreadable extends Error {}

//# valueAt fieldOf nameOf
/**
 * The value at a path of the event; undefined where there is none.
 * @param {unknown} event
 * @param {string[]} path
 * @returns {unknown}
 */
function valueAt(event, path) {
  let value = event;
  for (const [depth, key] of path.entries()) {
    if (value === undefined) return undefined;
    value = fieldOf(value, key, nameOf(path.slice(0, depth)));
  }
  return value;
}

//# fieldOf Unreadable
/**
 * A value of an object; undefined where it has none, or null.
 * @param {unknown} object
 * @param {string} key
 * @param {string} where
 * @returns {unknown}
 */
function fieldOf(object, key, where) {
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    throw new Unreadable(`${where} is no object`);
  }
  // What every object has from JavaScript is not the event's.
  if (key in Object.prototype && !Object.hasOwn(object, key)) return undefined;
  return /** @type {Record<string, unknown>} */ (object)[key] ?? undefined;
}

//# nameOf
/**
 * A path as a policy writes it.
 * @param {string[]} path
 */
function nameOf(path) {
  return ["event", ...path].join(".");
}

//# required valueAt nameOf Unreadable
/**
 * A value that the event must have.
 * @template T
 * @param {unknown} event
 * @param {string[]} path
 * @param {(value: unknown, where: string) => T} as
 * @returns {T}
 */
function required(event, path, as) {
  const value = valueAt(event, path);
  if (value === undefined) throw new Unreadable(`${nameOf(path)} is missing`);
  return as(value, nameOf(path));
}

//# optional valueAt required
/**
 * A value that is absent where its parent is. The policy asks before it looks.
 * @template T
 * @param {unknown} event
 * @param {string[]} parent
 * @param {string[]} rest
 * @param {(value: unknown, where: string) => T} as
 * @returns {T}
 */
function optional(event, parent, rest, as) {
  if (valueAt(event, parent) === undefined) return /** @type {T} */ (undefined);
  return required(event, [...parent, ...rest], as);
}

//# read valueAt nameOf
/**
 * A value, or what counts instead where the event has none.
 * @template T
 * @param {unknown} event
 * @param {string[]} path
 * @param {(value: unknown, where: string) => T} as
 * @param {T} absent
 * @returns {T}
 */
function read(event, path, as, absent) {
  const value = valueAt(event, path);
  return value === undefined ? absent : as(value, nameOf(path));
}

//# bool Unreadable
/**
 * @param {unknown} value
 * @param {string} where
 */
function bool(value, where) {
  if (typeof value !== "boolean") throw new Unreadable(`${where} is no bool`);
  return value;
}

//# integer Unreadable
/**
 * A whole number that JSON carries exactly.
 * @param {unknown} value
 * @param {string} where
 */
function integer(value, where) {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new Unreadable(`${where} is no whole number`);
  }
  return value;
}

//# text Unreadable
/**
 * @param {unknown} value
 * @param {string} where
 */
function text(value, where) {
  if (typeof value !== "string") throw new Unreadable(`${where} is no text`);
  return value;
}

//# seconds integer
/**
 * A length of time, in milliseconds.
 * @param {unknown} value
 * @param {string} where
 */
function seconds(value, where) {
  return integer(integer(value, where) * 1000, where);
}

//# instant text Unreadable
/**
 * An RFC 3339 instant, in milliseconds since 1970.
 * @param {unknown} value
 * @param {string} where
 */
function instant(value, where) {
  const shape =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/i;
  const parts = shape.exec(text(value, where));
  if (!parts) throw new Unreadable(`${where} is no instant`);
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isOnCalendar = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const offset = Number(parts[9] ?? 0) * 60 + Number(parts[10] ?? 0);
  const isOnClock = hour < 24 && minute < 60 && second < 61 && Number(parts[9] ?? 0) < 26;
  if (!isOnCalendar || !isOnClock || Number(parts[10] ?? 0) > 59) {
    throw new Unreadable(`${where} is no instant`);
  }
  const fraction = (parts[7] ?? "").padEnd(3, "0");
  // A leap second is the second before it.
  date.setUTCHours(hour, minute, Math.min(second, 59), Number(fraction.slice(0, 3)));
  const at = date.getTime() - (parts[8] === "-" ? -offset : offset) * 60_000;
  if (at > 253_402_207_200_999) throw new Unreadable(`${where} is no instant`);
  // Less than a millisecond is cut off, which before 1970 leads forward.
  return at < 0 && /[1-9]/.test(fraction.slice(3)) ? at + 1 : at;
}

//# address text addressBits Unreadable
/**
 * An IP address, as its bits.
 * @param {unknown} value
 * @param {string} where
 */
function address(value, where) {
  const bits = addressBits(text(value, where));
  if (!bits) throw new Unreadable(`${where} is no IP address`);
  return bits;
}

//# addressBits
/**
 * The bits of an address after a "4" or a "6"; undefined for a text that is none.
 * @param {string} text
 */
function addressBits(text) {
  const bytes = text.split(".");
  const isByte = (/** @type {string} */ byte) => /^(0|[1-9]\d{0,2})$/.test(byte) && Number(byte) < 256;
  const bits = (/** @type {number} */ number, /** @type {number} */ width) =>
    number.toString(2).padStart(width, "0");
  if (bytes.length === 4 && bytes.every(isByte)) {
    return "4" + bytes.map((byte) => bits(Number(byte), 8)).join("");
  }
  const dotted = /^(.*:)((?:\d{1,3}\.){3}\d{1,3})$/.exec(text);
  if (dotted) {
    const last = dotted[2].split(".");
    if (!last.every(isByte)) return undefined;
    const [a, b, c, d] = last.map(Number);
    text = `${dotted[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const [head, tail, more] = text.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const zeros = 8 - head.length - (tail?.length ?? 0);
  if (more || (tail ? zeros < 1 : zeros !== 0)) return undefined;
  const groups = [...head, ...Array(zeros).fill("0"), ...(tail ?? [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const all = groups.map((group) => bits(parseInt(group, 16), 16)).join("");
  // An IPv4 address in IPv6's clothes.
  return all.startsWith("0".repeat(80) + "1".repeat(16)) ? "4" + all.slice(96) : "6" + all;
}

//# isInside addressBits
/**
 * Whether an address lies in one of these prefixes.
 * @param {string} bits
 * @param {string[]} prefixes
 */
function isInside(bits, prefixes) {
  return prefixes.some((prefix) => {
    const [network, length] = prefix.split("/");
    return bits.startsWith((addressBits(network) ?? "none").slice(0, Number(length) + 1));
  });
}

//# among text Unreadable
/**
 * One of a scale's values.
 * @param {string[]} values
 */
function among(values) {
  return (/** @type {unknown} */ value, /** @type {string} */ where) => {
    const found = text(value, where);
    if (!values.includes(found)) throw new Unreadable(`${where} is none of ${values.join(", ")}`);
    return found;
  };
}

//# amongOrOther text
/**
 * One of these values, or "other".
 * @param {string[]} values
 */
function amongOrOther(values) {
  return (/** @type {unknown} */ value, /** @type {string} */ where) => {
    const found = text(value, where);
    return values.includes(found) ? found : "other";
  };
}

//# elementsOf Unreadable
/**
 * The elements of an array that are there.
 * @param {unknown} value
 * @param {string} where
 * @returns {unknown[]}
 */
function elementsOf(value, where) {
  if (!Array.isArray(value)) throw new Unreadable(`${where} is no list`);
  return value.filter((element) => element !== undefined && element !== null);
}

//# texts text elementsOf
/**
 * @param {unknown} value
 * @param {string} where
 */
function texts(value, where) {
  return elementsOf(value, where).map((element) => text(element, `${where}[]`));
}

//# textsAt text elementsOf fieldOf Unreadable
/**
 * The texts at a path under each element; `?` marks keys that an element may lack, `[]` a list below.
 * @param {{ key: string, marks: string }[]} path
 */
function textsAt(path) {
  /** @type {(value: unknown, where: string, path: { key: string, marks: string }[]) => string[]} */
  const under = (value, where, [step, ...rest]) => {
    if (!step) return [text(value, where)];
    const next = fieldOf(value, step.key, where);
    const there = `${where}.${step.key}`;
    if (next === undefined && !step.marks.includes("?")) throw new Unreadable(`${there} is missing`);
    if (next === undefined) return [];
    if (!step.marks.includes("[]")) return under(next, there, rest);
    return elementsOf(next, there).flatMap((element) => under(element, `${there}[]`, rest));
  };
  return (/** @type {unknown} */ value, /** @type {string} */ where) =>
    elementsOf(value, where).flatMap((element) => under(element, `${where}[]`, path));
}

//# cut
/**
 * The items of a text, without white space around them and without empty ones.
 * @param {string} text
 * @param {string} separator
 */
function cut(text, separator) {
  const items = text.split(separator).map((item) => item.replace(/^[ \t\n\f\r]+|[ \t\n\f\r]+$/g, ""));
  return items.filter((item) => item !== "");
}

//# inCatalogOrder
/**
 * A set of factors: those that the policy knows, and "other" for all else.
 * @param {string[]} names
 */
function inCatalogOrder(names) {
  const known = FACTORS.filter((factor) => names.includes(factor));
  return names.every((name) => FACTORS.includes(name)) ? known : [...known, "other"];
}

//# factor text
/**
 * A factor that the policy knows, or "" for another.
 * @param {unknown} value
 * @param {string} where
 */
function factor(value, where) {
  const name = text(value, where);
  return FACTORS.includes(name) ? name : "";
}

//# enrolledFactors valueAt elementsOf fieldOf text inCatalogOrder
/**
 * The factors that the user has.
 * @param {unknown} event
 */
function enrolledFactors(event) {
  const where = "event.user.enrolledFactors";
  const enrolled = elementsOf(valueAt(event, ["user", "enrolledFactors"]) ?? [], where);
  const typeOf = (/** @type {unknown} */ entry) =>
    text(fieldOf(entry, "type", `${where}[]`), `${where}[].type`);
  return inCatalogOrder(enrolled.map(typeOf));
}

//# performedFactors valueAt elementsOf fieldOf text instant Unreadable
/**
 * The second factors used in this session, with their instants, in the event's order.
 * @param {unknown} event
 */
function performedFactors(event) {
  const where = "event.authentication.methods";
  const performed = [];
  for (const entry of elementsOf(valueAt(event, ["authentication", "methods"]) ?? [], where)) {
    const part = (/** @type {string} */ key) => fieldOf(entry, key, `${where}[]`);
    const name = text(part("name") ?? "", `${where}[].name`);
    const type = text(part("type") ?? "", `${where}[].type`);
    const stamp = part("timestamp");
    const at = stamp === undefined ? undefined : instant(stamp, `${where}[].timestamp`);
    if (name !== "mfa" || part("type") === undefined) continue;
    if (at === undefined) throw new Unreadable(`${where}[].timestamp is missing`);
    performed.push({ factor: FACTORS.includes(type) ? type : "other", at });
  }
  return performed;
}

//# lastPerformed
/**
 * The factor used last, or "" if none was.
 * @param {{ factor: string, at: number }[]} performed
 */
function lastPerformed(performed) {
  let last = { factor: "", at: -Infinity };
  for (const method of performed) {
    if (method.factor !== "other" && method.at >= last.at) last = method;
  }
  return last.factor;
}

//# markOf
/**
 * Tells one use of a second factor from the next.
 * @param {{ type?: unknown, timestamp?: unknown }} method
 */
function markOf(method) {
  return `${method?.type}@${method?.timestamp}`;
}

//# performedSoFar markOf
/**
 * The second factors used before this step, for the steps that ask what was used in this login.
 * @param {any} event
 */
function performedSoFar(event) {
  const methods = event?.authentication?.methods;
  return Array.isArray(methods) ? methods.map(markOf).join(" ") : "";
}

//# performedInThisLogin markOf
/**
 * The factors used since the flow's first step began.
 * @param {any} event
 * @returns {string[]}
 */
function performedInThisLogin(event) {
  const before = event?.transaction?.metadata?.[PERFORMED_BEFORE];
  const methods = event?.authentication?.methods;
  if (typeof before !== "string" || !Array.isArray(methods)) return [];
  const isNew = (/** @type {any} */ method) => !before.split(" ").includes(markOf(method));
  const used = methods.filter((method) => method?.name === "mfa" && isNew(method));
  return used.map((method) => method.type).filter((type) => FACTORS.includes(type));
}

//# intersect
/**
 * @param {string[]} a
 * @param {string[]} b
 */
function intersect(a, b) {
  return a.filter((factor) => b.includes(factor));
}

//# except
/**
 * @param {string[]} a
 * @param {string[]} b
 */
function except(a, b) {
  return a.filter((factor) => !b.includes(factor));
}

//# union
/**
 * @param {string[]} a
 * @param {string[]} b
 */
function union(a, b) {
  return [...a, ...b.filter((factor) => !a.includes(factor))];
}

//# offered
/**
 * The factors of a set that a command can offer.
 * @template {string} F
 * @param {string[]} set
 * @param {readonly F[]} possible
 * @returns {{ type: F }[]}
 */
function offered(set, possible) {
  return set.flatMap((name) => possible.filter((type) => type === name).map((type) => ({ type })));
}

//# lower
/**
 * A to Z in lower case; all other letters stay.
 * @param {string} text
 */
function lower(text) {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

//# domain lower
/**
 * What follows the last "@", in lower case.
 * @param {string} text
 */
function domain(text) {
  return lower(text.slice(text.lastIndexOf("@") + 1));
}

//# hour
/**
 * The hour of an instant, in UTC.
 * @param {number} instant
 */
function hour(instant) {
  return new Date(instant).getUTCHours();
}

//# weekday
/**
 * The day of an instant, in UTC.
 * @param {number} instant
 */
function weekday(instant) {
  const days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
  return days[new Date(instant).getUTCDay()];
}
