package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// answer is what is told of a response: one line of JSON each, in the order of the requests.
type answer struct {
	Version string            `json:"version"`
	Status  int               `json:"status"`
	Size    int64             `json:"size"`
	Sha256  string            `json:"sha256"`
	Trailer map[string]string `json:"trailers"`
}

// ask sends one request so many times, all at once and over as few connections as the client makes of its own.
func ask(arguments []string) {
	flags := flag.NewFlagSet("ask", flag.ExitOnError)
	version := flags.Int("version", 2, "of HTTP: 2 or 3")
	authority := flags.String("ca", "", "file with the certificate that is trusted")
	method := flags.String("method", "GET", "method of the requests")
	size := flags.Int("size", 0, "bytes that each request carries")
	times := flags.Int("times", 1, "how many requests, all at once")
	flags.Parse(arguments)
	pem, err := os.ReadFile(*authority)
	if err != nil {
		fail(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: transport(*version, &tls.Config{RootCAs: trusted}), Timeout: 50 * time.Second}

	answers := make([]answer, *times)
	content := bytes.Repeat([]byte{'c'}, *size)
	var all sync.WaitGroup
	for number := range answers {
		all.Go(func() { answers[number] = exchange(client, *method, flags.Arg(0), content) })
	}
	all.Wait()
	client.CloseIdleConnections()
	lines := json.NewEncoder(os.Stdout)
	for _, told := range answers {
		lines.Encode(told)
	}
}

func transport(version int, trust *tls.Config) http.RoundTripper {
	if version == 3 {
		return &http3.Transport{TLSClientConfig: trust}
	}
	return &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true}
}

func exchange(client *http.Client, method, url string, content []byte) answer {
	request, err := http.NewRequest(method, url, bytes.NewReader(content))
	if err != nil {
		fail(err)
	}
	response, err := client.Do(request)
	if err != nil {
		fail(err)
	}
	defer response.Body.Close()
	digest := sha256.New()
	size, err := io.Copy(digest, response.Body)
	if err != nil {
		fail(err)
	}
	trailers := map[string]string{}
	for name := range response.Trailer {
		trailers[name] = response.Trailer.Get(name)
	}
	return answer{response.Proto, response.StatusCode, size, fmt.Sprintf("%x", digest.Sum(nil)), trailers}
}
