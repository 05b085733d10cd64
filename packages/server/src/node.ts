export {
  type CredentialedCorsOptions,
  credentialedCors,
  type ServeFilesOptions,
  serveFiles,
} from '@verdant-web/http';
export {
  closeGracefully,
  closeOnSignals,
  createHttpRouter,
  createNodeWebsocketHandler,
  type GracefulCloseOptions,
  type HttpRouterOptions,
  type NodeWebsocketHandler,
  type NodeWebsocketOptions,
  type SignalOptions,
} from '@verdant-web/node';
