<?php
/**
 * Tells a request that came through the waiting room from one that went around it: verifies the `Waiting-Room-Pass` header
 * with the public keys that the edge publishes. Copy this file; it needs PHP 8.1 or newer with ext-sodium, and no library.
 */
declare(strict_types=1);

namespace WaitingRoom;

/** An edge may send a pass up to three seconds past its end. The rest is what clocks may differ by. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** A pass has a few hundred characters. Anything longer is an attack on the parser. */
const TOKEN_CHARS_MAX = 2_048;
/** Room for a pass of each of eight rooms. */
const HEADER_CHARS_MAX = 8 * TOKEN_CHARS_MAX;
const JSON_DEPTH_MAX = 8;
const JWKS_BYTES_MAX = 65_536;
const FETCH_TIMEOUT_SECONDS = 3;

/**
 * The claims of the first valid pass for `$room` in a header's value, as ['claims' => …], or why there is none, as
 * ['refusal' => …]: missing, malformed, wrong-kind, unknown-key, bad-signature, wrong-room, expired or no-keys.
 */
function verify(string $header, Keys $keys, string $room, ?int $now = null): array
{
    if (strlen($header) > HEADER_CHARS_MAX) {
        return ['refusal' => 'malformed'];
    }
    $result = ['refusal' => 'missing'];
    foreach (explode(',', $header) as $value) {
        $token = trim($value, " \t");
        if ($token === '') {
            continue;
        }
        $result = verifyOne($token, $keys, $room, $now ?? time());
        if (isset($result['claims'])) {
            break;
        }
    }
    return $result;
}

/**
 * Call this first in every request: it answers and exits when there is no valid pass, else it returns the claims.
 * For CORS preflights, which carry no pass, it returns null. Where the room has `origin_pass = "cookie"`, `$cookie` is the name
 * of its cookie.
 */
function guard(Keys $keys, string $room, ?string $cookie = null): ?array
{
    if (isPreflight()) {
        return null;
    }
    $result = verify(passesIn($cookie), $keys, $room);
    if (isset($result['claims'])) {
        return $result['claims'];
    }
    error_log("no pass ({$result['refusal']}): {$_SERVER['REQUEST_METHOD']} {$_SERVER['REQUEST_URI']}");
    refuse($result['refusal']);
}

/** The passes of the request: in the header, or else in the cookies of that name. */
function passesIn(?string $cookie): string
{
    $header = $_SERVER['HTTP_WAITING_ROOM_PASS'] ?? null;
    if ($header !== null || $cookie === null) {
        return $header ?? '';
    }
    $pairs = array_map(trim(...), preg_split('/[;,]/', $_SERVER['HTTP_COOKIE'] ?? ''));
    $ours = array_filter($pairs, fn(string $pair): bool => str_starts_with($pair, "$cookie="));
    return implode(',', array_map(fn(string $pair): string => substr($pair, strlen($cookie) + 1), $ours));
}

/**
 * The edge's public keys, in a file that all PHP processes share: loaded when needed, and kept while the edge cannot be
 * reached. They are loaded again after `$maxAge` seconds; for an unknown key once in `$cooldown` seconds.
 */
final class Keys
{
    /** @var array<string, string> 32 bytes by kid */
    private array $keys = [];
    private int $loadedAt = 0;
    private int $triedAt = 0;

    /** `$cacheFile` must be in a directory that only the site's own user may write to: whoever writes it makes passes. */
    public function __construct(
        private readonly string $url,
        private readonly string $cacheFile,
        private readonly int $maxAge = 300,
        private readonly int $cooldown = 60,
    ) {
        $this->read();
    }

    /** True until the edge has been reached for the first time. */
    public function isEmpty(): bool
    {
        return $this->keys === [];
    }

    public function find(string $kid): ?string
    {
        $known = $this->keys[$kid] ?? null;
        if ($known !== null && time() - $this->loadedAt < $this->maxAge) {
            return $known;
        }
        // One process loads. Who has a key goes on with it meanwhile; who has none waits for the new ones.
        $lock = fopen("$this->cacheFile.lock", 'c');
        if ($lock !== false && flock($lock, $known === null ? LOCK_EX : LOCK_EX | LOCK_NB)) {
            $this->read();
            $this->refreshIfDue();
            fclose($lock);
        }
        return $this->keys[$kid] ?? null;
    }

    private function refreshIfDue(): void
    {
        $wait = $this->isEmpty() ? min(2, $this->cooldown) : $this->cooldown;
        if (time() - $this->triedAt < $wait) {
            return;
        }
        $this->triedAt = time();
        $jwks = fetchJson($this->url);
        $keys = keysOf($jwks);
        if ($keys === []) {
            error_log('the keys of passes could not be loaded, the last ones are kept');
        } else {
            $this->keys = $keys;
            $this->loadedAt = $this->triedAt;
        }
        $this->write();
    }

    private function read(): void
    {
        $text = is_file($this->cacheFile) ? (string) file_get_contents($this->cacheFile) : '';
        $cache = json_decode($text, true, JSON_DEPTH_MAX);
        $this->keys = keysOf($cache);
        $this->loadedAt = $cache['loadedAt'] ?? 0;
        $this->triedAt = $cache['triedAt'] ?? 0;
    }

    /** Written beside and moved into place: no process ever reads half a file. */
    private function write(): void
    {
        $keys = [];
        foreach ($this->keys as $kid => $bytes) {
            $keys[] = ['kty' => 'OKP', 'crv' => 'Ed25519', 'kid' => (string) $kid, 'x' => encode($bytes)];
        }
        $cache = ['keys' => $keys, 'loadedAt' => $this->loadedAt, 'triedAt' => $this->triedAt];
        $beside = tempnam(dirname($this->cacheFile), 'jwks');
        file_put_contents($beside, json_encode($cache, JSON_THROW_ON_ERROR));
        rename($beside, $this->cacheFile);
    }
}

function verifyOne(string $token, Keys $keys, string $room, int $now): array
{
    $parts = explode('.', $token);
    if (strlen($token) > TOKEN_CHARS_MAX || count($parts) !== 3) {
        return ['refusal' => 'malformed'];
    }
    [$header, $payload, $signature] = array_map(decode(...), $parts);
    $header = json_decode($header ?? '', true, JSON_DEPTH_MAX);
    if ($payload === null || $signature === null || !is_array($header) || array_is_list($header)) {
        return ['refusal' => 'malformed'];
    }
    // The kind is pinned here, never taken from the token.
    $kind = [$header['alg'] ?? null, $header['typ'] ?? null];
    $kid = $header['kid'] ?? null;
    if ($kind !== ['EdDSA', 'pass+jwt'] || !is_string($kid) || array_key_exists('crit', $header)) {
        return ['refusal' => 'wrong-kind'];
    }
    $key = $keys->find($kid);
    if ($key === null) {
        return ['refusal' => $keys->isEmpty() ? 'no-keys' : 'unknown-key'];
    }
    if (!isSigned($signature, "$parts[0].$parts[1]", $key)) {
        return ['refusal' => 'bad-signature'];
    }
    $claims = json_decode($payload, true, JSON_DEPTH_MAX);
    if (!is_array($claims) || !isPass($claims)) {
        return ['refusal' => 'malformed'];
    }
    if ($claims['aud'] !== $room) {
        return ['refusal' => 'wrong-room'];
    }
    return $claims['exp'] + CLOCK_TOLERANCE_SECONDS <= $now ? ['refusal' => 'expired'] : ['claims' => $claims];
}

/** sodium throws when a signature has the wrong length, instead of saying no. */
function isSigned(string $signature, string $text, string $key): bool
{
    return strlen($signature) === SODIUM_CRYPTO_SIGN_BYTES
        && sodium_crypto_sign_verify_detached($signature, $text, $key);
}

function isPass(array $claims): bool
{
    $isNumber = fn(string $name): bool => is_int($claims[$name] ?? null) || is_float($claims[$name] ?? null);
    return is_string($claims['aud'] ?? null) && is_string($claims['sub'] ?? null)
        && $isNumber('gen') && $isNumber('iat') && $isNumber('exp');
}

/**
 * The bytes of non-empty base64url; null for anything but their one spelling. Lenient decoders accept several spellings of one
 * signature: whoever compares or counts tokens would be deceived.
 */
function decode(string $part): ?string
{
    $bytes = base64_decode(strtr($part, '-_', '+/'), true);
    return $bytes !== false && $part !== '' && encode($bytes) === $part ? $bytes : null;
}

function encode(string $bytes): string
{
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}

/** @return array<string, string> 32 bytes by kid */
function keysOf(mixed $jwks): array
{
    $keys = [];
    foreach (is_array($jwks['keys'] ?? null) ? $jwks['keys'] : [] as $key) {
        $bytes = is_string($key['x'] ?? null) ? decode($key['x']) : null;
        $isPublicKey = ($key['kty'] ?? '') === 'OKP' && ($key['crv'] ?? '') === 'Ed25519';
        if ($isPublicKey && is_string($key['kid'] ?? null) && strlen($bytes ?? '') === SODIUM_CRYPTO_SIGN_PUBLICKEYBYTES) {
            $keys[$key['kid']] = $bytes;
        }
    }
    return $keys;
}

/** Null when there is no JSON to be had. Needs `allow_url_fopen`, which is on unless somebody has turned it off. */
function fetchJson(string $url): mixed
{
    $options = ['timeout' => FETCH_TIMEOUT_SECONDS, 'user_agent' => 'waiting-room-origin/1', 'follow_location' => 0];
    $context = stream_context_create(['http' => $options]);
    $text = @file_get_contents($url, false, $context, 0, JWKS_BYTES_MAX);
    return $text === false ? null : json_decode($text, true, JSON_DEPTH_MAX);
}

function isPreflight(): bool
{
    return $_SERVER['REQUEST_METHOD'] === 'OPTIONS'
        && isset($_SERVER['HTTP_ORIGIN'], $_SERVER['HTTP_ACCESS_CONTROL_REQUEST_METHOD']);
}

/** 403, and no word about why: the log has that. Without keys nobody can be told from anybody, so it is 503. */
function refuse(string $refusal): never
{
    $status = $refusal === 'no-keys' ? 503 : 403;
    http_response_code($status);
    header('Content-Type: application/problem+json');
    header('Cache-Control: no-store');
    if ($status === 503) {
        header('Retry-After: 5');
    }
    $title = $status === 503 ? 'Try again shortly' : 'This site is entered through its waiting room';
    echo json_encode(['type' => 'about:blank', 'title' => $title, 'status' => $status]);
    exit;
}
