<?php
/**
 * Tries verify.php:
 *   php main.php --jwks FILE --aud ROOM TOKEN    prints claims or refusal; exit code 0 or 1
 *   php main.php --jwks FILE --aud ROOM -        reads a JSON list of tokens from stdin, and prints one line for each
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
$tokens = $token === '-' ? json_decode(stream_get_contents(STDIN)) : [$token];
$code = 0;
foreach ($tokens as $one) {
    $result = verify($one, $keys, $given['aud']);
    echo json_encode($result, JSON_UNESCAPED_SLASHES), "\n";
    if (!isset($result['claims'])) $code = 1;
}
array_map(unlink(...), glob("$cacheFile*"));
exit($code);
