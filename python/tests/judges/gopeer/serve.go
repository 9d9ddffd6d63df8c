package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

const quote = `{"symbol":"BTC","price":123.45}`

// resources is what the tests ask every server for; python/tests/support/peers.py says the same of others.
func resources() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/price", func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "application/json")
		io.WriteString(out, quote)
	})
	mux.HandleFunc("/count", func(out http.ResponseWriter, in *http.Request) {
		digest := sha256.New()
		size, err := io.Copy(digest, in.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(out, "%s|%d|%x|%s", in.Method, size, digest.Sum(nil), in.Trailer.Get("Sum"))
	})
	mux.HandleFunc("/bytes/", func(out http.ResponseWriter, in *http.Request) {
		left, err := strconv.Atoi(strings.TrimPrefix(in.URL.Path, "/bytes/"))
		if err != nil || left < 0 {
			http.Error(out, "not a number", http.StatusBadRequest)
			return
		}
		out.Header().Set("Content-Length", strconv.Itoa(left))
		for block := bytes.Repeat([]byte{'p'}, 64*1024); left > 0; left -= len(block) {
			if _, err := out.Write(block[:min(left, len(block))]); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/trailers", func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Trailer", "Checksum")
		io.WriteString(out, "body")
		out.(http.Flusher).Flush()
		out.Header().Set("Checksum", "4")
	})
	mux.HandleFunc("/broken", func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Length", "100")
		io.WriteString(out, "half")
		out.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	return mux
}

// streams is how many requests a client may have under way on one connection.
const streams = 1000

// serve answers HTTP/2 over TLS and HTTP/3 on one port of 127.0.0.1, HTTP/1.1 on another, without TLS, which the one line
// that it writes tells; upon SIGTERM it finishes what has begun.
func serve(arguments []string) {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	chain := flags.String("cert", "", "file with the chain of certificates")
	key := flags.String("key", "", "file with their key")
	port := flags.Int("port", 0, "for HTTP/2 and HTTP/3")
	flags.Parse(arguments)
	certificate, err := tls.LoadX509KeyPair(*chain, *key)
	if err != nil {
		fail(err)
	}
	configuration := &tls.Config{Certificates: []tls.Certificate{certificate}}

	plain, secure := listen(0), listen(*port)
	datagrams, err := net.ListenPacket("udp", secure.Addr().String())
	if err != nil {
		fail(err)
	}
	one := &http.Server{Handler: resources()}
	two := &http.Server{
		Handler:   resources(),
		TLSConfig: configuration,
		HTTP2:     &http.HTTP2Config{MaxConcurrentStreams: streams},
	}
	three := &http3.Server{
		Handler:    resources(),
		TLSConfig:  http3.ConfigureTLSConfig(configuration.Clone()),
		QUICConfig: &quic.Config{MaxIncomingStreams: streams},
	}
	go one.Serve(plain)
	go two.ServeTLS(secure, "", "")
	go three.Serve(datagrams)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	fmt.Println(plain.Addr().(*net.TCPAddr).Port)
	<-stop
	limit, done := context.WithTimeout(context.Background(), 2*time.Second)
	defer done()
	three.Shutdown(limit)
	two.Shutdown(limit)
	one.Close()
}

func listen(port int) net.Listener {
	made, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		fail(err)
	}
	return made
}
