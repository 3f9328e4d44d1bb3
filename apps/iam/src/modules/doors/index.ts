export { type Door, openDoor } from './service.ts'
