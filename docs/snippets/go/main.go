// Tries verify.go:
//
//	go run . --jwks FILE --aud ROOM TOKEN      prints claims or refusal; exit code 0 or 1
//	go run . --jwks FILE --aud ROOM -          reads a JSON list of tokens from stdin, and prints one line for each
//	go run . --jwks URL --aud ROOM --port N    an origin that answers with the claims
//
// --cookie NAME reads the pass from this cookie where it is in no header.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	jwks := flag.String("jwks", "", "file, or URL to serve")
	room := flag.String("aud", "", "name of the room")
	port := flag.Int("port", 0, "port to serve on")
	maxAge := flag.Float64("max-age", 300, "seconds after which the keys are loaded again")
	cooldown := flag.Float64("cooldown", 60, "seconds between loads for an unknown key")
	cookie := flag.String("cookie", "", "name of the cookie with the pass")
	flag.Parse()

	if *port != 0 {
		keys := KeysFrom(*jwks)
		keys.MaxAge = time.Duration(*maxAge * float64(time.Second))
		keys.Cooldown = time.Duration(*cooldown * float64(time.Second))
		exempt := func(r *http.Request) bool { return r.URL.Path == "/healthz" }
		handler := Guard(http.HandlerFunc(site), keys, *room, exempt, *cookie)
		log.Fatal(http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", *port), handler))
	}

	keys := &Keys{Load: func() ([]byte, error) { return os.ReadFile(*jwks) }, MaxAge: time.Hour, Cooldown: time.Hour}
	tokens := []string{flag.Arg(0)}
	if flag.Arg(0) == "-" {
		if err := json.NewDecoder(os.Stdin).Decode(&tokens); err != nil {
			log.Fatal(err)
		}
	}
	code := 0
	for _, token := range tokens {
		claims, err := Verify(token, keys, *room, time.Now())
		if err != nil {
			print(map[string]any{"refusal": err.Error()})
			code = 1
			continue
		}
		print(map[string]any{"claims": claims})
	}
	os.Exit(code)
}

// site stands behind the guard. Every line of its log names the session.
func site(w http.ResponseWriter, r *http.Request) {
	claims := ClaimsOf(r)
	session := "-"
	if claims != nil {
		session = claims.Session
	}
	log.Printf("%s %s %s", session, r.Method, r.URL.Path)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Waiting-Room-Session", session)
	_ = json.NewEncoder(w).Encode(map[string]any{"claims": claims})
}

func print(value any) {
	text, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
}
