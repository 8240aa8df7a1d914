// Which addresses are asked, and how.

package oauth

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Limits of an answer.
const (
	answerTime = 5 * time.Second
	maxAnswer  = 1 << 20 // bytes
)

// CheckAddress returns an error if an address is not https, or http on this machine, or has a query or a fragment.
func CheckAddress(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(text, "?#"):
		return fmt.Errorf("%.200q is no address such as https://login.example.com, without a query or a fragment", text)
	case !secure(u):
		return fmt.Errorf("%.200q must begin with https: what is sent elsewhere over http can be read and changed on its way", text)
	}
	return nil
}

func secure(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}

// client asks the issuer. What it answers is bounded, and neither it nor where it leads to is asked over a network in clear.
func client() *http.Client {
	return &http.Client{Transport: guarded{http.DefaultTransport}, Timeout: answerTime}
}

type guarded struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if !secure(r.URL) {
		return nil, fmt.Errorf("%.200q is not https", r.URL.Redacted())
	}
	answer, err := g.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = http.MaxBytesReader(nil, answer.Body, maxAnswer)
	}
	return answer, err
}
