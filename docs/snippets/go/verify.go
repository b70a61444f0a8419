// Tells a request that came through the waiting room from one that went around it: verifies the `Waiting-Room-Pass` header
// with the public keys that the edge publishes. Copy this file; it needs Go 1.19 or newer and no module.
package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// An edge may send a pass up to three seconds past its end. The rest is what clocks may differ by.
	clockTolerance = 5 * time.Second
	// A pass has a few hundred characters. Anything longer is an attack on the parser.
	tokenCharsMax = 2_048
	// Room for a pass of each of eight rooms.
	headerCharsMax = 8 * tokenCharsMax
	jwksBytesMax   = 65_536
	fetchTimeout   = 3 * time.Second
)

// Claims of a pass. Session is the visitor's session, Generation grows when the operator starts the room anew.
type Claims struct {
	Room       string  `json:"aud"`
	Session    string  `json:"sub"`
	Generation float64 `json:"gen"`
	IssuedAt   float64 `json:"iat"`
	ExpiresAt  float64 `json:"exp"`
}

// Refusal says why there is no valid pass.
type Refusal string

func (r Refusal) Error() string { return string(r) }

const (
	Missing      Refusal = "missing"
	Malformed    Refusal = "malformed"
	WrongKind    Refusal = "wrong-kind"
	UnknownKey   Refusal = "unknown-key"
	BadSignature Refusal = "bad-signature"
	WrongRoom    Refusal = "wrong-room"
	Expired      Refusal = "expired"
	NoKeys       Refusal = "no-keys"
)

// Verify gives the claims of the first valid pass for room in a header's value, or a Refusal.
func Verify(header string, keys *Keys, room string, now time.Time) (*Claims, error) {
	if len(header) > headerCharsMax {
		return nil, Malformed
	}
	var refusal error = Missing
	for _, value := range strings.Split(header, ",") {
		token := strings.Trim(value, " \t")
		if token == "" {
			continue
		}
		claims, err := verifyOne(token, keys, room, now)
		if err == nil {
			return claims, nil
		}
		refusal = err
	}
	return nil, refusal
}

// Guard refuses requests without a valid pass; ClaimsOf gives the claims of the others. CORS preflights carry no pass, and
// neither does what exempt lets through. Where the room has `origin_pass = "cookie"`, cookie is the name of its cookie; else it is
// empty.
func Guard(next http.Handler, keys *Keys, room string, exempt func(*http.Request) bool, cookie string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPreflight(r) || exempt(r) {
			next.ServeHTTP(w, r)
			return
		}
		claims, err := Verify(passesIn(r, cookie), keys, room, time.Now())
		if err != nil {
			log.Printf("no pass (%v): %s %q", err, r.Method, r.URL.Path)
			refuse(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
	})
}

// passesIn gives the passes of a request: those in the header, or else in the cookies of that name.
func passesIn(r *http.Request, cookie string) string {
	if headers := r.Header.Values("Waiting-Room-Pass"); len(headers) > 0 || cookie == "" {
		return strings.Join(headers, ",")
	}
	var passes []string
	isEnd := func(char rune) bool { return char == ';' || char == ',' }
	for _, pair := range strings.FieldsFunc(strings.Join(r.Header.Values("Cookie"), ";"), isEnd) {
		if pass := strings.TrimSpace(pair); strings.HasPrefix(pass, cookie+"=") {
			passes = append(passes, pass[len(cookie)+1:])
		}
	}
	return strings.Join(passes, ",")
}

// ClaimsOf gives the claims of a guarded request, nil for one that needs no pass.
func ClaimsOf(r *http.Request) *Claims {
	claims, _ := r.Context().Value(claimsKey{}).(*Claims)
	return claims
}

type claimsKey struct{}

// Keys are the edge's public keys: loaded when needed, and kept while the edge cannot be reached. They are loaded again after
// MaxAge; for an unknown key once in Cooldown.
type Keys struct {
	Load     func() ([]byte, error)
	MaxAge   time.Duration
	Cooldown time.Duration

	loading sync.Mutex // held while the keys are loaded; guards tried
	tried   time.Time
	mutex   sync.RWMutex // guards what follows
	keys    map[string]ed25519.PublicKey
	loaded  time.Time
}

// KeysFrom gives the keys that the edge publishes at url.
func KeysFrom(url string) *Keys {
	return &Keys{Load: func() ([]byte, error) { return fetch(url) }, MaxAge: 5 * time.Minute, Cooldown: time.Minute}
}

// IsEmpty is true until the edge has been reached for the first time.
func (k *Keys) IsEmpty() bool {
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	return len(k.keys) == 0
}

func (k *Keys) find(kid string) ed25519.PublicKey {
	known, fresh := k.look(kid)
	if known != nil && fresh {
		return known
	}
	// One request loads. Who has a key goes on with it meanwhile; who has none waits for the new ones.
	if known == nil {
		k.loading.Lock()
	} else if !k.loading.TryLock() {
		return known
	}
	defer k.loading.Unlock()
	k.refreshIfDue()
	known, _ = k.look(kid)
	return known
}

func (k *Keys) look(kid string) (key ed25519.PublicKey, fresh bool) {
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	return k.keys[kid], time.Since(k.loaded) < k.MaxAge
}

func (k *Keys) refreshIfDue() {
	wait := k.Cooldown
	if k.IsEmpty() && wait > 2*time.Second {
		wait = 2 * time.Second
	}
	if time.Since(k.tried) < wait {
		return
	}
	k.tried = time.Now()
	text, err := k.Load()
	if err == nil {
		var keys map[string]ed25519.PublicKey
		if keys, err = keysOf(text); err == nil {
			k.mutex.Lock()
			k.keys, k.loaded = keys, k.tried
			k.mutex.Unlock()
		}
	}
	if err != nil {
		log.Printf("the keys of passes could not be loaded, the last ones are kept: %v", err)
	}
}

func verifyOne(token string, keys *Keys, room string, now time.Time) (*Claims, error) {
	parts := strings.Split(token, ".")
	if len(token) > tokenCharsMax || len(parts) != 3 {
		return nil, Malformed
	}
	var bytes [3][]byte
	for i, part := range parts {
		if bytes[i] = decode(part); bytes[i] == nil {
			return nil, Malformed
		}
	}
	var header map[string]any
	if json.Unmarshal(bytes[0], &header) != nil || header == nil {
		return nil, Malformed
	}
	// The kind is pinned here, never taken from the token.
	kid, named := header["kid"].(string)
	_, critical := header["crit"]
	if header["alg"] != "EdDSA" || header["typ"] != "pass+jwt" || !named || critical {
		return nil, WrongKind
	}
	key := keys.find(kid)
	if key == nil {
		if keys.IsEmpty() {
			return nil, NoKeys
		}
		return nil, UnknownKey
	}
	if !ed25519.Verify(key, []byte(parts[0]+"."+parts[1]), bytes[2]) {
		return nil, BadSignature
	}
	claims := claimsOf(bytes[1])
	switch {
	case claims == nil:
		return nil, Malformed
	case claims.Room != room:
		return nil, WrongRoom
	case claims.ExpiresAt+clockTolerance.Seconds() <= float64(now.Unix()):
		return nil, Expired
	}
	return claims, nil
}

// claimsOf gives nil when a claim is missing or of another type. It reads a map first: a struct would take "EXP" for "exp".
func claimsOf(text []byte) *Claims {
	var payload map[string]any
	if json.Unmarshal(text, &payload) != nil {
		return nil
	}
	room, hasRoom := payload["aud"].(string)
	session, hasSession := payload["sub"].(string)
	generation, hasGeneration := payload["gen"].(float64)
	issuedAt, hasIssuedAt := payload["iat"].(float64)
	expiresAt, hasExpiresAt := payload["exp"].(float64)
	if !hasRoom || !hasSession || !hasGeneration || !hasIssuedAt || !hasExpiresAt {
		return nil
	}
	return &Claims{room, session, generation, issuedAt, expiresAt}
}

// decode gives the bytes of non-empty base64url, nil for anything but their one spelling. Lenient decoders accept several
// spellings of one signature (Go's skips newlines): whoever compares or counts tokens would be deceived.
func decode(part string) []byte {
	bytes, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil || len(bytes) == 0 || base64.RawURLEncoding.EncodeToString(bytes) != part {
		return nil
	}
	return bytes
}

func keysOf(jwks []byte) (map[string]ed25519.PublicKey, error) {
	var set struct {
		Keys []struct{ Kty, Crv, Kid, X string }
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		return nil, err
	}
	keys := map[string]ed25519.PublicKey{}
	for _, key := range set.Keys {
		bytes := decode(key.X)
		if key.Kty == "OKP" && key.Crv == "Ed25519" && key.Kid != "" && len(bytes) == ed25519.PublicKeySize {
			keys[key.Kid] = bytes
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no Ed25519 key in it")
	}
	return keys, nil
}

func fetch(url string) ([]byte, error) {
	client := http.Client{Timeout: fetchTimeout}
	response, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", url, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, jwksBytesMax))
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" &&
		r.Header.Get("Access-Control-Request-Method") != ""
}

// refuse answers 403, and no word about why: the log has that. Without keys nobody can be told from anybody, so it is 503.
func refuse(w http.ResponseWriter, refusal error) {
	status, title := http.StatusForbidden, "This site is entered through its waiting room"
	if refusal == NoKeys {
		status, title = http.StatusServiceUnavailable, "Try again shortly"
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "about:blank", "title": title, "status": status})
}
