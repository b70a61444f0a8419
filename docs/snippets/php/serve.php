<?php
/**
 * Tries verify.php as an origin that answers with the claims:
 *   JWKS=URL JWKS_CACHE=FILE ROOM=shop php -S 127.0.0.1:8081 serve.php
 * COOKIE=NAME reads the pass from this cookie where it is in no header.
 */
declare(strict_types=1);

require __DIR__ . '/verify.php';

$maxAge = (int) (getenv('JWKS_MAX_AGE') ?: 300);
$cooldown = (int) (getenv('JWKS_COOLDOWN') ?: 60);
$keys = new WaitingRoom\Keys(getenv('JWKS'), getenv('JWKS_CACHE'), $maxAge, $cooldown);

$isExempt = $_SERVER['REQUEST_URI'] === '/healthz';
$claims = $isExempt ? null : WaitingRoom\guard($keys, getenv('ROOM'), getenv('COOKIE') ?: null);

// Every line of the log names the session.
$session = $claims['sub'] ?? '-';
error_log("$session {$_SERVER['REQUEST_METHOD']} {$_SERVER['REQUEST_URI']}");
header('Content-Type: application/json');
header("Waiting-Room-Session: $session");
echo json_encode(['claims' => $claims], JSON_UNESCAPED_SLASHES);
