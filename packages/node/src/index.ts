export { createHttpRouter, type HttpRouterOptions } from '@verdant-web/http';
export { closeGracefully, type GracefulCloseOptions } from './close-gracefully.js';
export { closeOnSignals, type SignalOptions } from './close-on-signals.js';
export {
  createNodeWebsocketHandler,
  type NodeWebsocketHandler,
  type NodeWebsocketOptions,
} from './websocket-handler.js';
