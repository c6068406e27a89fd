// The post-login trigger, version 3, as its documentation and the dashboard's typings describe it: what an Action is handed.

/** What a login brings. `?` marks what may be absent. */
interface PostLoginEvent {
  user: {
    user_id: string;
    email?: string;
    email_verified: boolean;
    username?: string;
    name?: string;
    given_name?: string;
    family_name?: string;
    nickname?: string;
    phone_number?: string;
    phone_verified?: boolean;
    picture?: string;
    created_at: string;
    updated_at: string;
    last_password_reset?: string;
    app_metadata: Metadata<unknown>;
    user_metadata: Metadata<unknown>;
    enrolledFactors?: { type: string; options?: Metadata<unknown> }[];
    multifactor?: string[];
    identities: { connection?: string; provider?: string; user_id?: string; isSocial?: boolean }[];
  };
  authentication?: {
    methods: { name: string; timestamp: string; type?: string }[];
    riskAssessment?: {
      confidence: Confidence;
      version: string;
      assessments: {
        NewDevice?: { confidence: Confidence; code: string; details?: Metadata<unknown> };
        ImpossibleTravel?: { confidence: Confidence; code: string };
        UntrustedIP?: { confidence: Confidence; code: string; details?: Metadata<unknown> };
      };
    };
  };
  authorization?: { roles: string[] };
  client: { client_id: string; name: string; metadata: Metadata<string> };
  connection: { id: string; name: string; strategy: string; metadata?: Metadata<string> };
  organization?: { id: string; name: string; display_name: string; metadata: Metadata<string> };
  request: {
    ip: string;
    method: string;
    hostname?: string;
    language?: string;
    user_agent?: string;
    asn?: string;
    query: Metadata<unknown>;
    body: Metadata<unknown>;
    geoip: {
      countryCode?: string;
      countryCode3?: string;
      countryName?: string;
      cityName?: string;
      continentCode?: string;
      latitude?: number;
      longitude?: number;
      subdivisionCode?: string;
      timeZone?: string;
    };
  };
  transaction?: {
    acr_values: string[];
    requested_scopes: string[];
    ui_locales: string[];
    locale: string;
    prompt?: string[];
    protocol?: string;
    redirect_uri?: string;
    login_hint?: string;
    requested_authorization_details?: { type: string; [key: string]: unknown }[];
    metadata: Metadata<string | number | boolean>;
  };
  session?: {
    id: string;
    authenticated_at?: string;
    created_at?: string;
    device?: { initial_ip: string; last_ip: string; initial_asn: string; last_asn: string };
  };
  stats: { logins_count: number };
  tenant: { id: string };
  resource_server?: { identifier: string };
  security_context?: { ja3?: string; ja4?: string };
}

type Metadata<T> = { [key: string]: T };
type Confidence = 'low' | 'medium' | 'high' | 'neutral';

type Phone = { type: 'phone'; options?: { preferredMethod?: 'sms' | 'voice' | 'both' } };
type Plain = { type: 'otp' | 'recovery-code' | 'webauthn-platform' | 'webauthn-roaming' };
type EnrollFactor = Plain | Phone | { type: 'push-notification' };
type ChallengeFactor =
  | Plain
  | Phone
  | { type: 'email' }
  | { type: 'push-notification'; options?: { otpFallback?: boolean } };

/** What an Action may ask for. Each call gives the api again. */
interface PostLoginAPI {
  readonly access: { deny(reason: string): PostLoginAPI };
  readonly authentication: {
    challengeWith(factor: ChallengeFactor, options?: { additionalFactors?: ChallengeFactor[] }): PostLoginAPI;
    challengeWithAny(factors: ChallengeFactor[]): PostLoginAPI;
    enrollWith(factor: EnrollFactor, options?: { additionalFactors?: EnrollFactor[] }): PostLoginAPI;
    enrollWithAny(factors: EnrollFactor[]): PostLoginAPI;
  };
  readonly transaction: {
    setMetadata(key: string, value: string | number | boolean | null): PostLoginAPI;
  };
}

// What Node gives a CommonJS module, as far as an Action needs it.
declare const exports: { onExecutePostLogin: (event: PostLoginEvent, api: PostLoginAPI) => Promise<void> };
declare const console: { log(...values: unknown[]): void };
