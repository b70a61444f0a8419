<?php
/**
 * Tries verify.php:
 *   php main.php --jwks FILE --aud ROOM TOKEN    prints claims or refusal; exit code 0 or 1; "-" reads the token from stdin
 */
declare(strict_types=1);

require __DIR__ . '/verify.php';

use function WaitingRoom\verify;

$given = getopt('', ['jwks:', 'aud:'], $rest);
$token = $argv[$rest] ?? null;
if (!isset($given['jwks'], $given['aud'], $token)) {
    fwrite(STDERR, "usage: php main.php --jwks FILE --aud ROOM TOKEN\n");
    exit(2);
}
$cacheFile = tempnam(sys_get_temp_dir(), 'jwks');
$keys = new WaitingRoom\Keys($given['jwks'], $cacheFile);
$result = verify($token === '-' ? stream_get_contents(STDIN) : $token, $keys, $given['aud']);
array_map(unlink(...), glob("$cacheFile*"));
echo json_encode($result, JSON_UNESCAPED_SLASHES), "\n";
exit(isset($result['claims']) ? 0 : 1);
