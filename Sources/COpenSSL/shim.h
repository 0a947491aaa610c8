#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

// What OpenSSL has as macros, which Swift does not see.

static inline long copenssl_set_min_version(SSL_CTX *context, int version) {
  return SSL_CTX_set_min_proto_version(context, version);
}

static inline long copenssl_set_max_version(SSL_CTX *context, int version) {
  return SSL_CTX_set_max_proto_version(context, version);
}

static inline void copenssl_set_options(SSL_CTX *context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Idle connections keep no buffers of records.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
}

/// The protocols that a client offers by ALPN: http/1.1 is taken, others are not.
static inline int copenssl_select_http(
    SSL *connection, const unsigned char **out, unsigned char *length, const unsigned char *offered,
    unsigned int count, void *unused) {
  static const unsigned char http[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  (void)connection;
  (void)unused;
  return SSL_select_next_proto((unsigned char **)out, length, http, sizeof http, offered, count)
                 == OPENSSL_NPN_NEGOTIATED
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_NOACK;
}

static inline void copenssl_take_http(SSL_CTX *context) {
  SSL_CTX_set_alpn_select_cb(context, copenssl_select_http, 0);
}

/// Makes the two memories between a connection and its socket; 0 without memory.
static inline int copenssl_set_memories(SSL *connection) {
  BIO *in = BIO_new(BIO_s_mem());
  BIO *out = BIO_new(BIO_s_mem());
  if (!in || !out) {
    BIO_free(in);
    BIO_free(out);
    return 0;
  }
  // An empty memory is not the end of what the peer sends.
  BIO_set_mem_eof_return(in, -1);
  BIO_set_mem_eof_return(out, -1);
  SSL_set_bio(connection, in, out);
  return 1;
}

static inline long copenssl_pending_output(SSL *connection) { return (long)BIO_ctrl_pending(SSL_get_wbio(connection)); }
