// What an Action finds around it: an instant, the post-login `api` that writes down what is called, and CommonJS.
//
// Evaluates to a function that sets this up in the realm that it is evaluated in. It uses nothing of the engine beyond
// the language, so that the tests run Actions in other engines under the same host. What it needs later is taken from
// the realm before the Action runs, since an Action may change the realm.
((eventText, now) => {
  const { parse, stringify } = JSON;
  const { construct } = Reflect;

  const calls = [];
  const record = (call) => {
    calls[calls.length] = call;
  };

  // Other engines' realms have a clock; the policy's instant is an argument.
  const RealDate = Date;
  function FixedDate(...parts) {
    if (new.target === undefined) return new RealDate(now).toString();
    return construct(RealDate, parts.length === 0 ? [now] : parts, new.target);
  }
  FixedDate.prototype = RealDate.prototype;
  FixedDate.parse = RealDate.parse;
  FixedDate.UTC = RealDate.UTC;
  FixedDate.now = () => now;
  RealDate.prototype.constructor = FixedDate;
  Object.defineProperty(FixedDate, 'name', { value: 'Date' });

  // As they are at the call: an Action may change an argument afterwards.
  const copy = (value) => {
    const text = stringify(value);
    return text === undefined ? null : parse(text);
  };

  const asFactor = (given) => {
    const factor = copy(given);
    const hasNoOptions = factor?.options !== undefined && stringify(factor.options) === '{}';
    if (hasNoOptions) delete factor.options;
    return factor;
  };
  const asFactors = (given) => (Array.isArray(given) ? given.map(asFactor) : copy(given));

  const event = parse(eventText);
  const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const transaction = isObject(event?.transaction) ? event.transaction : {};
  const metadata = isObject(transaction.metadata) ? transaction.metadata : {};

  const preferred = (command) => (factor, options) => {
    const additionalFactors = asFactors(options?.additionalFactors ?? []);
    record({ command: { command, factor: asFactor(factor), additionalFactors } });
    return api;
  };
  const any = (command) => (factors) => {
    record({ command: { command, factors: asFactors(factors) } });
    return api;
  };
  const setMetadata = (key, value) => {
    record({ setMetadata: { key: String(key), value: copy(value) } });
    if (value === null) delete metadata[key];
    else metadata[key] = value;
    transaction.metadata = metadata;
    return api;
  };

  // Everything else of the trigger: written down by its name, and of no effect.
  const other = (namespace, names, answer = () => api) => {
    const methods = {};
    for (const name of names) {
      methods[name] = () => {
        record({ other: { name: `${namespace}.${name}` } });
        return answer(name);
      };
    }
    return methods;
  };

  const api = {
    access: {
      ...other('access', ['rejectInvalidSubjectToken']),
      deny: (reason) => {
        record({ deny: { reason: String(reason) } });
        return api;
      },
    },
    accessToken: other('accessToken', ['setCustomClaim', 'addScope', 'removeScope']),
    authentication: {
      ...other('authentication', ['recordMethod', 'setPrimaryUser']),
      challengeWith: preferred('challengeWith'),
      challengeWithAny: any('challengeWithAny'),
      enrollWith: preferred('enrollWith'),
      enrollWithAny: any('enrollWithAny'),
    },
    cache: other('cache', ['get', 'set', 'delete'], () => undefined),
    idToken: other('idToken', ['setCustomClaim']),
    multifactor: other('multifactor', ['enable']),
    prompt: other('prompt', ['render']),
    redirect: {
      ...other('redirect', ['sendUserTo']),
      ...other('redirect', ['canRedirect'], () => false),
      ...other('redirect', ['encodeToken'], () => ''),
      ...other('redirect', ['validateToken'], () => ({})),
    },
    refreshToken: other('refreshToken', [
      'deleteMetadata', 'evictMetadata', 'revoke', 'setExpiresAt', 'setIdleExpiresAt', 'setMetadata',
    ]),
    rules: other('rules', ['wasExecuted'], () => false),
    samlResponse: other('samlResponse', [
      'setAttribute', 'setAudience', 'setAuthnContextClassRef', 'setCert', 'setCreateUpnClaim', 'setDestination',
      'setEncryptionCert', 'setEncryptionPublicKey', 'setIncludeAttributeNameFormat', 'setKey', 'setLifetimeInSeconds',
      'setMapIdentities', 'setMapUnknownClaimsAsIs', 'setNameIdentifierFormat', 'setNameIdentifierProbes',
      'setPassthroughClaimsWithNoMapping', 'setRecipient', 'setRelayState', 'setResponseLocation', 'setSigningCert',
      'setSignResponse', 'setTypedAttributes',
    ]),
    session: other('session', [
      'deleteMetadata', 'evictMetadata', 'revoke', 'setCookieMode', 'setExpiresAt', 'setIdleExpiresAt', 'setMetadata',
    ]),
    transaction: { setMetadata },
    user: other('user', ['setAppMetadata', 'setUserMetadata']),
    validation: other('validation', ['error']),
  };

  const module = { exports: {} };
  const silent = () => {};
  const surroundings = {
    Date: FixedDate,
    console: { debug: silent, error: silent, info: silent, log: silent, trace: silent, warn: silent },
    exports: module.exports,
    module,
    require: (name) => {
      throw new Error(`\`require\` of \`${name}\`: an Action is run without packages`);
    },
  };
  for (const name in surroundings) {
    const value = surroundings[name];
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }
  // The same each time.
  Math.random = () => 0.5;

  const parses = Function;
  return {
    /** Whether a text is code at all: asked when its evaluation ended with a `SyntaxError`. */
    isCode: (code) => {
      try {
        return parses(code) !== undefined;
      } catch {
        return false;
      }
    },
    hasHandler: () => typeof module.exports?.onExecutePostLogin === 'function',
    /** Begins the login; gives what the handler gives, a promise as a rule. */
    begin: () => module.exports.onExecutePostLogin(event, api),
    /** What was called, as JSON. */
    recorded: () => {
      const whole = (_, value) => (typeof value === 'string' ? value.toWellFormed() : value);
      return stringify({ calls, metadata }, whole);
    },
  };
})
